#!/usr/bin/env python3
"""Writes tests/integration/webhooks/vectors.json: deliveries of every sender that there is a preset of, signed without a line of ours.

    python3 tests/suites/webhook_vectors.py [--check]

It writes the same each time, its keys being made of seeds; `--check` writes nothing and fails where the file is another.

How each sender signs is written here a second time, from the senders' documents and not from presets.toml: Python's hmac and hashlib for
HMAC, the command openssl for Ed25519 and for tokens. The test `webhook_vectors` holds our verifiers against them.
"""

import argparse
import base64
import hashlib
import hmac
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = ROOT / "tests/integration/webhooks/vectors.json"

# When all deliveries arrive, and what most of them say they were sent: 2023-11-14T22:13:20Z.
NOW = 1_700_000_000
NOW_TEXT = "2023-11-14T22:13:20Z"

# What is easily changed on the way: letters beyond ASCII, escapes, spaces, a line end.
BODY = '{"type":"employee.hired", "data":{"employeeId":"1042","firstName":"Zo\u00eb","note":"a\\u00e9\\/b"}}\n'


def b64(data):
    return base64.b64encode(data).decode()


def b64url(data):
    return base64.urlsafe_b64encode(data).decode()


def mac(key, signed, algorithm=hashlib.sha256):
    return hmac.new(key, signed, algorithm).digest()


def openssl(*arguments, stdin=b""):
    return subprocess.run(["openssl", *arguments], input=stdin, capture_output=True, check=True).stdout


# Each sender: (secret, body, time, id) -> (headers, body).


def standard(secret, body, time, identity):
    key = base64.b64decode(secret.removeprefix("whsec_"))
    tag = b64(mac(key, b"%s.%d.%s" % (identity.encode(), time, body)))
    return [("webhook-id", identity), ("webhook-timestamp", str(time)), ("webhook-signature", f"v1,{tag}")], body


def bamboohr(secret, body, time, _):
    tag = mac(secret.encode(), body + str(time).encode()).hex()
    return [("X-BambooHR-Timestamp", str(time)), ("X-BambooHR-Signature", tag)], body


def hibob(secret, body, time, _):
    return [("Bob-Signature", b64(mac(secret.encode(), body, hashlib.sha512)))], body


def merge(secret, body, time, _):
    return [("X-Merge-Webhook-Signature", b64url(mac(secret.encode(), body)))], body


def finch(secret, body, time, identity):
    tag = b64(mac(base64.b64decode(secret), b".".join([identity.encode(), str(time).encode(), body])))
    return [("Finch-Event-Id", identity), ("Finch-Timestamp", str(time)), ("Finch-Signature", f"v1,{tag}")], body


def deel(secret, body, time, _):
    return [("x-deel-signature", mac(secret.encode(), b"POST" + body).hex())], body


def gusto(secret, body, time, _):
    return [("X-Gusto-Signature", mac(secret.encode(), body).hex())], body


def greenhouse(secret, body, time, _):
    return [("Signature", "sha256 " + mac(secret.encode(), body).hex())], body


def ashby(secret, body, time, _):
    return [("Ashby-Signature", "sha256=" + mac(secret.encode(), body).hex())], body


def lever(secret, body, time, _):
    content = json.loads(body)
    content["signature"] = mac(secret.encode(), f"{content['token']}{content['triggeredAt']}".encode()).hex()
    return [], json.dumps(content).encode()


def remote(secret, body, time, _):
    stamp = str(time * 1000)
    tag = mac(secret.encode(), body + b":" + stamp.encode()).hex()
    return [("X-Remote-Timestamp", stamp), ("X-Remote-Signature", tag)], body


def fixed(name):
    return lambda secret, body, time, _: ([(name, secret)], body)


def basic(secret, body, time, _):
    return [("Authorization", "Basic " + b64(secret.encode()))], body


WHSEC = ["whsec_" + b64(b"first secret of twenty-four"), "whsec_" + b64(b"second secret of twenty-four")]
PLAIN = ["the first secret", "the second secret"]

# name: how it signs, its secrets, its body, whether its time is in a header and at most five minutes old.
SENDERS = {
    "standard-webhooks": (standard, WHSEC, BODY, True),
    "bamboohr": (bamboohr, PLAIN, BODY, True),
    "finch": (finch, [secret.removeprefix("whsec_") for secret in WHSEC], BODY, True),
    "hibob": (hibob, PLAIN, '{"type":"employee.left","triggeredAt":"%s","data":{"ids":["7"]}}' % NOW_TEXT, False),
    "merge": (merge, PLAIN, BODY, False),
    "deel": (deel, PLAIN, '{"data": {"a":"\u00e9"},"timestamp":"%s"}' % NOW_TEXT, False),
    "gusto": (gusto, PLAIN, '{"uuid":"u1","event_type":"employee.updated","timestamp":%d}' % NOW, False),
    "greenhouse": (greenhouse, PLAIN, BODY, False),
    "ashby": (ashby, PLAIN, BODY, False),
    "lever": (lever, PLAIN, '{"token":"4a9d1c","triggeredAt":%d,"event":"candidateHired","data":{"id":"7"}}' % (NOW * 1000), False),
    "remote": (remote, PLAIN, BODY, False),
    "okta": (fixed("Authorization"), PLAIN, BODY, False),
    "factorial": (fixed("x-factorial-wh-challenge"), PLAIN, BODY, False),
    "workday": (basic, ["user:first", "user:second"], BODY, False),
    "successfactors": (basic, ["user:first", "user:second"], BODY, False),
    "dayforce": (basic, ["user:first", "user:second"], BODY, False),
}


def vector(preset, case, secrets, made, accepted, secret=None, **more):
    headers, body = made
    return {
        "preset": preset,
        "case": case,
        "secrets": secrets,
        "headers": [list(header) for header in headers],
        "body": body.decode(),
        "accepted": accepted,
        "secret": secret,
        **more,
    }


def of_sender(preset, sign, secrets, body, is_timed):
    first, second = secrets
    body = body.encode()
    made = sign(first, body, NOW, "msg_1")
    yield vector(preset, "as it is sent", [first], made, True, 1)
    yield vector(preset, "while secrets change, by the old one", [second, first], made, True, 2)
    yield vector(preset, "while secrets change, by the new one", [first, second], made, True, 1)
    yield vector(preset, "after secrets changed, by the old one", [second], made, False)
    if sign not in (lever, basic) and preset not in ("okta", "factorial"):
        headers, sent = made
        yield vector(preset, "with one space in the body", [first], (headers, sent.replace(b":", b": ", 1)), False)
        yield vector(preset, "without the line end", [first], (headers, sent.rstrip() if sent.endswith(b"\n") else sent + b"\n"), False)
    if is_timed:
        for seconds, accepted in [(-299, True), (299, True), (-301, False), (301, False)]:
            late = sign(first, body, NOW + seconds, "msg_1")
            yield vector(preset, f"{seconds} s from now", [first], late, accepted, 1 if accepted else None)
    if preset == "remote":
        late = sign(first, body, NOW - 86_400, "msg_1")
        yield vector(preset, "a retry of yesterday's", [first], late, True, 1)


def lists():
    """Several signatures in one header, and other ways to write one."""
    first, second = WHSEC
    headers, body = standard(first, BODY.encode(), NOW, "msg_1")
    other = standard(second, BODY.encode(), NOW, "msg_1")[0][2][1]
    own = headers[2][1]
    for case, text, accepted in [
        ("behind one of another secret", f"{other} {own}", True),
        ("behind one of another kind", f"v2,abc {own}", True),
        ("behind garbage", f"v1,%%% {own}", True),
        ("of eight", " ".join([other] * 7 + [own]), True),
        ("of nine", " ".join([other] * 8 + [own]), False),
        ("with a comma between", f"{other},{own}", False),
        ("of another version", own.replace("v1,", "v0,"), False),
        ("without a version", own.removeprefix("v1,"), False),
        ("without padding", own.rstrip("="), False),
        ("in hexadecimal", "v1," + base64.b64decode(own[3:]).hex(), False),
        ("that is empty", "", False),
        ("of a version alone", "v1,", False),
    ]:
        changed = [*headers[:2], ("webhook-signature", text)]
        yield vector("standard-webhooks", f"a signature {case}", [first], (changed, body), accepted, 1 if accepted else None)
    bare = first.removeprefix("whsec_")
    yield vector("standard-webhooks", "a secret without whsec_", [bare], (headers, body), True, 1)
    headers, body = merge(PLAIN[0], BODY.encode(), NOW, None)
    unpadded = [(headers[0][0], headers[0][1].rstrip("="))]
    yield vector("merge", "without padding", [PLAIN[0]], (unpadded, body), True, 1)


def shifted():
    """What was signed, cut in another way (the id has a dot, the timestamp a fraction)."""
    secret = WHSEC[0]
    key = base64.b64decode(secret.removeprefix("whsec_"))
    body = BODY.encode()
    tag = "v1," + b64(mac(key, b"a.%d.%s" % (NOW, body)))
    for identity, stamp, sent in [("a.%d" % NOW, "", body), ("a", str(NOW)[:-1], str(NOW)[-1].encode() + b"." + body), ("", "a.%d" % NOW, body)]:
        made = [("webhook-id", identity), ("webhook-timestamp", stamp), ("webhook-signature", tag)], sent
        yield vector("standard-webhooks", f"cut behind {identity!r} and {stamp!r}", [secret], made, False)
    for identity in ["a.1", "a\n", "a b", "\u00e9", "x" * 257, "x" * 10_240]:
        made = standard(secret, body, NOW, identity)
        yield vector("standard-webhooks", f"an id of {len(identity)} characters, {identity[:4]!r}", [secret], made, False)
    yield vector("standard-webhooks", "an id of 256 characters", [secret], standard(secret, body, NOW, "x" * 256), True, 1)
    headers, body = bamboohr(PLAIN[0], b'{"a":1}', NOW, None)
    moved = [("X-BambooHR-Timestamp", str(NOW)[1:]), headers[1]]
    yield vector("bamboohr", "a digit moved into the body", [PLAIN[0]], (moved, body + str(NOW)[:1].encode()), False)


def ed25519():
    """Standard Webhooks by a public key (v1a)."""
    seed = hashlib.sha256(b"a seed for tests").digest()
    with tempfile.TemporaryDirectory() as folder:
        private, message = os.path.join(folder, "key.der"), os.path.join(folder, "message")
        # PKCS #8 (RFC 8410 section 7) is this and the seed.
        pathlib.Path(private).write_bytes(bytes.fromhex("302e020100300506032b657004220420") + seed)
        public = openssl("pkey", "-inform", "DER", "-in", private, "-pubout", "-outform", "DER")[-32:]
        pathlib.Path(message).write_bytes(f"msg_1.{NOW}.{BODY}".encode())
        tag = openssl("pkeyutl", "-sign", "-rawin", "-keyform", "DER", "-inkey", private, "-in", message)
    made = (
        [("webhook-id", "msg_1"), ("webhook-timestamp", str(NOW)), ("webhook-signature", "v1a," + b64(tag))],
        BODY.encode(),
    )
    secret = "whpk_" + b64(public)
    yield vector("standard-webhooks", "by a public key", [secret], made, True, 1)
    yield vector("standard-webhooks", "by a public key, beside a secret", [WHSEC[0], secret], made, True, 2)
    symmetric = mac(public, f"msg_1.{NOW}.{BODY}".encode())
    for case, prefix in [("as HMAC", "v1,"), ("as HMAC under the name of a key", "v1a,")]:
        forged = [*made[0][:2], ("webhook-signature", prefix + b64(symmetric))]
        yield vector("standard-webhooks", f"by what is public, {case}", [secret], (forged, made[1]), False)


def prime(seed):
    """A prime of 1024 bits, the same for the same seed, that fits the exponent 65537."""
    stream = b"".join(hashlib.sha256(seed + bytes([part])).digest() for part in range(4))
    # Two high bits, so that the product of two has 2048; odd.
    candidate = int.from_bytes(stream, "big") | 3 << 1022 | 1
    while not is_prime(candidate) or candidate % 65537 == 1:
        candidate += 2
    return candidate


def is_prime(number):
    """Miller and Rabin's test, which is enough for a key that protects nothing."""
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for base in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37):
        power = pow(base, odd, number)
        if power in (1, number - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % number
            if power == number - 1:
                break
        else:
            return False
    return True


def rsa_key(seed):
    """A private key of 2048 bits in PEM, the same for the same seed: openssl has no seeds. RFC 8017, appendix A.1.2."""
    p, q = prime(seed + b" p"), prime(seed + b" q")
    d = pow(65537, -1, (p - 1) * (q - 1))

    def der(tag, content):
        size = len(content)
        length = bytes([size]) if size < 128 else (lambda more: bytes([128 + len(more)]) + more)(
            size.to_bytes((size.bit_length() + 7) // 8, "big"))
        return bytes([tag]) + length + content

    numbers = (0, p * q, 65537, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))
    integers = b"".join(der(2, number.to_bytes(number.bit_length() // 8 + 1, "big")) for number in numbers)
    lines = base64.encodebytes(der(48, integers)).decode()
    return f"-----BEGIN RSA PRIVATE KEY-----\n{lines}-----END RSA PRIVATE KEY-----\n"


def tokens():
    """SCIM events: the body is a token of an issuer (RFC 9967, RFC 8417)."""
    claims = {
        "iss": "https://idp.example.com",
        "aud": "https://ilm.example.com",
        "iat": NOW,
        "jti": "4d3559ec67504aaba65d40b0363faad8",
        "sub_id": {"format": "scim", "uri": "/Users/44f6142df96bd6ab61e7521d9", "externalId": "1042"},
        "events": {"urn:ietf:params:scim:event:prov:deactivate": {}},
    }
    with tempfile.TemporaryDirectory() as folder:
        private = os.path.join(folder, "key.pem")
        pathlib.Path(private).write_text(rsa_key(b"a seed for tests"))
        modulus = openssl("rsa", "-in", private, "-noout", "-modulus").decode().strip().split("=")[1]

        def part(value):
            return b64url(value if isinstance(value, bytes) else json.dumps(value).encode()).rstrip("=")

        def token(header, claims):
            signed = f"{part(header)}.{part(claims)}"
            return f"{signed}.{part(openssl('dgst', '-sha256', '-sign', private, stdin=signed.encode()))}".encode()

        jwks = {"keys": [{"kty": "RSA", "alg": "RS256", "kid": "k", "use": "sig", "n": part(bytes.fromhex(modulus)), "e": "AQAB"}]}
        sound = {"alg": "RS256", "typ": "secevent+jwt", "kid": "k"}
        without = lambda name: {key: value for key, value in claims.items() if key != name}
        hs256 = f"{part({**sound, 'alg': 'HS256'})}.{part(claims)}"
        forged = f"{hs256}.{part(mac(modulus.encode(), hs256.encode()))}".encode()
        none = f"{part({**sound, 'alg': 'none'})}.{part(claims)}.".encode()
        cases = [
            ("as it is sent", token(sound, claims), True),
            ("long ended, which events are not", token(sound, {**claims, "exp": NOW + 1}), True),
            ("of the type of a caller's", token({**sound, "typ": "JWT"}, claims), False),
            ("without a type", token({"alg": "RS256", "kid": "k"}, claims), False),
            ("of another issuer", token(sound, {**claims, "iss": "https://evil.example.com"}), False),
            ("for another audience", token(sound, {**claims, "aud": "https://other.example.com"}), False),
            ("without an audience", token(sound, without("aud")), False),
            ("without jti", token(sound, without("jti")), False),
            ("without iat", token(sound, without("iat")), False),
            ("without events", token(sound, without("events")), False),
            ("with no event", token(sound, {**claims, "events": {}}), False),
            ("of no algorithm", none, False),
            ("of HMAC by what is public", forged, False),
            ("that is cut", token(sound, claims)[:-8], False),
        ]
        for case, body, accepted in cases:
            yield vector("scim-events", f"a token {case}", [], ([], body), accepted, jwks=json.dumps(jwks))


def differing(text):
    """The names of the vectors that the file has otherwise, or does not have; some text where it has all of them."""
    try:
        kept = json.loads(TARGET.read_text())["vectors"]
    except (OSError, ValueError, KeyError) as error:
        return [str(error)]
    made = json.loads(text)["vectors"]
    names = [f"{one['preset']}: {one['case']}" for one in made if one not in kept]
    return names or ["more than these, or another form"]


def main():
    parser = argparse.ArgumentParser(description="Writes deliveries that are signed without a line of ours.")
    parser.add_argument("--check", action="store_true", help="write nothing, and fail where the file is another")
    options = parser.parse_args()
    vectors = []
    for preset, (sign, secrets, body, is_timed) in SENDERS.items():
        vectors += of_sender(preset, sign, secrets, body, is_timed)
    vectors += [*lists(), *shifted(), *ed25519(), *tokens()]
    vectors.append(vector("personio", "as it is sent, without a proof", [], ([], BODY.encode()), True))
    lines = ",\n".join(json.dumps(one, ensure_ascii=True) for one in vectors)
    text = f'{{"received": "{NOW_TEXT}", "vectors": [\n{lines}\n]}}\n'
    shown = f"{len(vectors)} vectors of {len({one['preset'] for one in vectors})} senders in {TARGET.relative_to(ROOT)}"
    if not options.check:
        TARGET.write_text(text)
    elif not TARGET.exists() or TARGET.read_text() != text:
        print("\n  ".join([f"{shown} are not what this makes; without --check it writes them:", *differing(text)]))
        return 1
    print(shown)
    return 0


if __name__ == "__main__":
    sys.exit(main())
