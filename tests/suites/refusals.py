#!/usr/bin/env python3
"""Counts the refusals that reach curl over HTTP/2, with TLS and in the clear: all of them have to.

    python3 tests/suites/refusals.py [--requests 300] [--binary target/debug/aws-ilm]

A POST that is refused from its header section alone is answered while curl still sends the body. Debian 12's curl (7.88)
takes the reset of a stream whose body was not read for the failure of the whole request, and shows no status at all. Each
request is a curl of its own, as in a script: the race is the first request's of a connection.
"""

import argparse
import collections
import concurrent.futures
import itertools
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import service

SMALL = 200
"""The length of an ordinary body, in bytes."""

LARGE = 1024 * 1024
"""More than is read of a refused body before it is answered."""

TOO_LARGE = 3 * 1024 * 1024
"""More than the service takes at all."""

CALLERS = {
    "everything": 'commands = ["*"]\ninstances = ["*"]\nrequests_per_second = 10000\n',
    "reader": 'commands = ["iam-get-user"]\ninstances = ["*"]\nrequests_per_second = 10000\n',
    "spent": 'commands = ["*"]\ninstances = ["*"]\nrequests_per_second = 0.001\n',
}

Kind = collections.namedtuple("Kind", "status caller path length")
"""A way to be refused: the status, who asks (None: without a key), the path, the body's length."""

KINDS = {
    "no key": Kind(401, None, "/commands/iam-disable-user", SMALL),
    "no right": Kind(403, "reader", "/commands/iam-disable-user", SMALL),
    "no such instance": Kind(404, "everything", "/commands/iam-disable-user?instance=none", SMALL),
    "no such path": Kind(404, "everything", "/commands/iam-disable-usr", SMALL),
    "over its quota": Kind(429, "spent", "/commands/iam-disable-user", SMALL),
    "no right, a large body": Kind(403, "reader", "/commands/iam-disable-user", LARGE),
    "a body that is too large": Kind(413, "everything", "/commands/iam-get-user", TOO_LARGE),
}


def make_callers(binary, folder):
    """Writes a callers file; gives it, and each caller's key."""
    keys, lines = {}, ""
    for name, rights in CALLERS.items():
        made = subprocess.run([str(binary), "key", "new", "--name", name], check=True, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True).stdout
        keys[name], _, table = made.partition("\n")
        kept = [line for line in table.splitlines() if not line.startswith(("commands", "instances"))]
        lines += "\n".join(kept) + "\n" + rights
    file = folder / "callers.toml"
    file.write_text(lines)
    return file, keys


def make_certificate(folder):
    """Makes a certificate for the loopback; gives its environment for the service."""
    certificate, key = folder / "tls.crt", folder / "tls.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
                   check=True, stdin=subprocess.DEVNULL, capture_output=True)
    return {"AWS_ILM_TLS_CERTIFICATE_FILE": str(certificate), "AWS_ILM_TLS_KEY_FILE": str(key)}


def bodies(folder):
    """Writes a body of every length that is needed."""
    files = {}
    for kind in KINDS.values():
        file = folder / f"{kind.length}.json"
        frame = len(json.dumps({"user-profile": {"username": ""}}))
        file.write_text(json.dumps({"user-profile": {"username": "x" * (kind.length - frame)}}))
        files[kind.length] = file
    return files


class Served:
    """The service on a port of the loopback, in the clear or with TLS."""

    def __init__(self, binary, name, environment, certificate):
        self.port = service.free_port()
        self.scheme = "https" if certificate else "http"
        # curl asks for HTTP/2 in the clear by prior knowledge: an upgrade sends the body over HTTP/1.
        self.protocol = ["--http2", "--cacert", str(certificate)] if certificate else ["--http2-prior-knowledge"]
        command = [binary, "serve", "--sandbox", "--listen", f"127.0.0.1:{self.port}"]
        self.process = service.Process(name, command, {"AWS_ILM_LOG_FORMAT": "json", **environment})

    def __enter__(self):
        deadline = time.monotonic() + service.START_SECONDS
        while "listening" not in self.process.text():
            if time.monotonic() > deadline:
                self.process.stop()
                raise RuntimeError(f"the service is not ready:\n{self.process.tail()}")
            time.sleep(0.1)
        return self

    def __exit__(self, *_):
        self.process.stop()

    def ask(self, kind, key, body, number):
        """Sends one request; what curl has to say of it."""
        # Ten failures from one address are slowed: each request comes from an address of its own.
        source = f"127.{1 + number // 60000}.{number // 250 % 240}.{1 + number % 250}"
        command = ["curl", "--silent", "--show-error", "--noproxy", "*", *self.protocol, "--interface", source,
                   "--header", "Content-Type: application/json", "--data-binary", f"@{body}", "--output", "/dev/null",
                   "--write-out", "%{http_code} over %{http_version}", f"{self.scheme}://127.0.0.1:{self.port}{kind.path}"]
        if key:
            command += ["--header", f"X-API-Key: {key}"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        complaint = f" ({done.stderr.strip()})" if done.returncode else ""
        return f"{done.stdout}{complaint}"


def main():
    """Asks, counts, and returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    service.binary_argument(parser)
    parser.add_argument("--requests", type=int, default=300, help="how many of each kind, a tenth with large bodies (default: 300)")
    options = parser.parse_args()
    checks = service.Checks()
    if not shutil.which("curl") or not shutil.which("openssl"):
        checks.check("curl and openssl are installed", False, "apt-get install curl openssl")
        return checks.finish()
    print(subprocess.run(["curl", "--version"], capture_output=True, text=True).stdout.splitlines()[0])
    numbers = itertools.count()
    with tempfile.TemporaryDirectory() as name, concurrent.futures.ThreadPoolExecutor(4) as pool:
        folder = pathlib.Path(name)
        callers, keys = make_callers(options.binary, folder)
        files = bodies(folder)
        certificate = make_certificate(folder)
        for protocol, tls in (("TLS", certificate), ("h2c", {})):
            environment = {"AWS_ILM_CALLERS_FILE": str(callers), **tls}
            file = tls.get("AWS_ILM_TLS_CERTIFICATE_FILE")
            with Served(options.binary, f"refusals-{protocol}", environment, file) as served:
                for what, kind in KINDS.items():
                    key, body = keys.get(kind.caller), files[kind.length]
                    if kind.caller == "spent":
                        served.ask(kind, key, body, next(numbers))
                    # A large body costs as much as ten others.
                    count = options.requests if kind.length == SMALL else max(options.requests // 10, 1)
                    wanted = [next(numbers) for _ in range(count)]
                    answers = pool.map(lambda number: served.ask(kind, key, body, number), wanted)
                    found = collections.Counter(answers)
                    checks.equal(f"{protocol}: {what}", dict(found), {f"{kind.status} over 2": count})
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
