"""What a stranger does to the XSOAR integration: wrong keys and addresses, a service that is down or busy,
TLS, names of any script, empty and huge arguments. Each is an error or a failed result that says what to
mend."""

import json
import subprocess
import tempfile
import time

import service
from soar_fake import PASSED, Fake
from xsoar_runtime import Instance, NotRunError

PERSON = {
    "username": "test",
    "email": "test@example.com",
    "givenname": "Test",
    "surname": "User",
    "displayname": "Test",
}
ERROR = 4
UNPACED = {f"AWS_ILM_{kind}_RATE": "100000" for kind in ("READ", "WRITE", "MEMBERSHIP")}
"""The sandbox needs no sparing."""
JSON = {"Content-Type": "application/json"}


def run(checks, binary, unified):
    """Runs all parts."""
    users = [
        {
            "id": f"u-{number}",
            "userName": f"user{number}",
            "displayName": f"User {number}",
            "name": {"givenName": "User", "familyName": str(number)},
            "active": True,
        }
        for number in range(1200)
    ]
    state = {"users": users, "groups": [{"id": "g-1", "displayName": "The best group"}]}
    with service.Directory(binary, state, name="soar-refusals-directory") as directory, service.Service(
        binary, environment={**directory.environment, **UNPACED}, name="soar-refusals"
    ) as ours:
        for part in (addresses, names_of_any_script, empty_arguments, huge_lists, passing, mappers, answers_of_others):
            with checks.section(part.__name__):
                part(checks, ours, lambda **entered: Instance(unified, {"url": ours.url, **entered}))
        with checks.section("callers"):
            callers(checks, binary, directory, unified)
        with checks.section("a directory that is away"):
            directory_away(checks, binary, directory, unified)
        with checks.section("TLS"):
            tls(checks, binary, directory, unified)


def error_of(instance, command="iam-get-user", arguments=None):
    """The text of the error that a command ends with; None when it ends otherwise."""
    arguments = arguments if arguments is not None else {"user-profile": PERSON}
    [entry] = instance.run(command, arguments if command != "test-module" else {})
    return entry["Contents"] if isinstance(entry, dict) and entry["Type"] == ERROR else None


def addresses(checks, ours, instance):
    """URLs that are nearly right, and those that are wrong."""
    for url in (ours.url, f"{ours.url}/", f" {ours.url} "):
        checks.equal(f"the URL {url.replace(ours.url, 'URL')!r} is right", instance(url=url).run("test-module"), ["ok"])
    for name, url, told in (
        ("nobody there", f"http://127.0.0.1:{service.free_port()}", "Connection"),
        ("no URL", "ilm", "Connection"),
        ("a path below", f"{ours.url}/commands", "No such path"),
        ("AWS's endpoint", f"{ours.url}/tenant/scim/v2/", "No such path"),
    ):
        for command in ("test-module", "iam-disable-user"):
            found = error_of(instance(url=url), command)
            checks.check(f"{name}: {command} is an error that says so", found and told in found, found)
    found = error_of(instance(instance="staging"), "test-module")
    checks.check("an instance that there is not: an error that says so", found and "instance" in found.lower(), found)
    checks.equal("one that there is, is used", instance(instance="AWS-ILM_instance_1").run("test-module"), ["ok"])


def names_of_any_script(checks, ours, instance):
    """Names arrive as they are, in an object and in its JSON, and come back in the table."""
    for number, (given, family) in enumerate(
        (("Žofie", "Ünal"), ("小明", "王"), ("Δημήτρης", 'O"Hara|`x`'), ("Ngũgĩ", "wa Thiong'o"))
    ):
        person = {
            "username": f"unicode{number}",
            "email": f"u{number}@example.com",
            "givenname": given,
            "surname": family,
            "displayname": f"{given} {family}",
        }
        one = instance()
        [entry] = one.run("iam-create-user", {"user-profile": json.dumps(person) if number % 2 else person})
        checks.equal(
            f"{given} {family} is created as that",
            one.context.get("IAM.Vendor.details.displayName"),
            [f"{given} {family}"],
        )
        checks.equal(f"{given} {family} leaves the table whole", len(entry["HumanReadable"].splitlines()), 4)
        [entry] = one.run("iam-get-user", {"user-profile": {"username": f"unicode{number}"}})
        profile = entry["EntryContext"]["IAM.UserProfile(val.email && val.email == obj.email)"]
        checks.equal(f"{given} {family} comes back", (profile["Given Name"], profile["Surname"]), (given, family))

    emoji = {
        "username": "emoji",
        "email": "e@example.com",
        "givenname": "👩‍💻",
        "surname": "X",
        "displayname": "👩‍💻",
    }
    [entry] = instance().run("iam-create-user", {"user-profile": emoji})
    checks.check(
        "what AWS refuses in a name is a failed result that names it",
        entry["Type"] != ERROR and not entry["Contents"]["success"] and "U+" in entry["Contents"]["errorMessage"],
        entry,
    )


def empty_arguments(checks, ours, instance):
    """What is empty is refused by XSOAR, or a failed result that names what is missing."""
    for command in ("iam-create-user", "iam-disable-user"):
        try:
            instance().run(command, {"user-profile": ""})
            checks.check(f"{command} without a profile is not run", False)
        except NotRunError:
            checks.check(f"{command} without a profile is not run", True)
        for profile in ("{}", "[]", "null", "not JSON", {}, {"username": "  "}, ["a", "b"], 5):
            [entry] = instance().run(command, {"user-profile": profile})
            checks.check(
                f"{command} with the profile {profile!r}: a failed result with a message",
                entry["Type"] != ERROR and not entry["Contents"]["success"] and entry["Contents"]["errorMessage"],
                entry,
            )
    one = instance()
    one.run("iam-update-user", {"user-profile": {"username": "user1", "title": "Boss"}, "allow-enable": ""})
    checks.check(
        "an empty allow-enable is none", one.context.is_equal_string("IAM.Vendor.success", "true"), one.context.values
    )
    for arguments in (
        {"scim": "{}"},
        {"scim": {"id": "g-1"}, "memberIdsToAdd": "", "memberIdsToDelete": []},
        {"scim": "x"},
    ):
        [entry] = instance().run("iam-update-group", arguments)
        checks.check(
            f"iam-update-group {arguments}: a failed result with a message",
            entry["Type"] != ERROR and not entry["Contents"]["success"] and entry["Contents"]["errorMessage"],
            entry,
        )
    one = instance()
    [entry] = one.run("iam-get-group", {"scim": {"displayName": "The best group"}, "includeMembers": "false"})
    checks.check(
        "a group is read without its members", entry["Contents"]["success"] and not entry["Contents"]["members"], entry
    )


def huge_lists(checks, ours, instance):
    """Members come as a text with commas, a list, its JSON, with numbers in it, by the thousand."""
    ids = [f"u-{number}" for number in range(1200)]
    for name, add, delete in (
        ("a text with commas", ", ".join(ids), ids),
        ("a list", ids, ",".join(ids)),
        ("JSON", json.dumps(ids), json.dumps(ids)),
    ):
        one = instance()
        one.run("iam-update-group", {"scim": {"id": "g-1"}, "memberIdsToAdd": add})
        [entry] = one.run("iam-get-group", {"scim": {"id": "g-1"}})
        checks.equal(f"1,200 members as {name} are in", len(entry["Contents"]["members"]), 1200)
        one.run("iam-update-group", {"scim": {"id": "g-1"}, "memberIdsToDelete": delete})
        [entry] = one.run("iam-get-group", {"scim": {"id": "g-1"}})
        checks.equal("and out again", entry["Contents"]["members"], [])
    one = instance()
    [entry] = one.run("iam-update-group", {"scim": {"id": "g-1"}, "memberIdsToAdd": [123456, "u-1"]})
    checks.check(
        "a number is an id; that nobody has it is a failed result, and the other is in",
        entry["Type"] != ERROR and "123456" in entry["Contents"]["errorMessage"],
        entry,
    )
    many = ",".join(f"{number:08x}-0000-4000-8000-000000000000" for number in range(40_000))
    [entry] = instance().run("iam-update-group", {"scim": {"id": "g-1"}, "memberIdsToAdd": many})
    checks.check(
        "more than a request holds: an error that says so",
        entry["Type"] == ERROR and "too large" in entry["Contents"],
        str(entry)[:400],
    )


def passing(checks, ours, instance):
    """A service that is busy is waited for; one that stays busy is an error."""
    busy = (
        429,
        {"Content-Type": "application/problem+json", "Retry-After": "1"},
        {"type": "/problems/too-many-requests", "title": "Too many requests", "status": 429, "detail": "Wait."},
    )
    with Fake([busy, PASSED], ours.url) as fake:
        one = instance(url=fake.url)
        one.run("iam-get-user", {"user-profile": {"username": "user1"}})
        checks.check(
            "a 429 is waited for",
            one.context.is_equal_string("IAM.Vendor.success", "true") and len(fake.requests) == 2,
            one.context.values,
        )
    with Fake([busy]) as fake:
        found = error_of(instance(url=fake.url))
        checks.check(
            "one that stays is an error", found and "Too many requests" in found and len(fake.requests) == 4, found
        )
    with Fake([(503, {**busy[1], "Retry-After": "3600"}, {**busy[2], "title": "Shutting down"})]) as fake:
        found = error_of(instance(url=fake.url))
        checks.check("nobody waits for an hour", found and "Shutting down" in found and len(fake.requests) == 1, found)


def mappers(checks, ours, instance):
    """Test compares the mappers' names with those at the service; commands do not."""
    for parameter in ("mapper_in", "mapper_out"):
        found = error_of(instance(**{parameter: "User Profile - SCIM"}), "test-module")
        checks.check(
            f"{parameter} of another name: Test says which one is used",
            found and "'built-in'" in found and parameter in found,
            found,
        )
    fields = instance().run("get-mapping-fields")[0]
    checks.check("the mapper editor gets its fields", fields["User Profile"]["name.givenName"], fields)
    try:
        instance(url="")
        checks.check("a form without a URL is not saved", False)
    except NotRunError:
        checks.check("a form without a URL is not saved", True)


def answers_of_others(checks, ours, instance):
    """What another server answers is an error that doubts the URL or the release, and no traceback."""
    page = (200, {"Content-Type": "text/html"}, b"<html>Sign in</html>")
    for name, answer in (
        ("a sign-in page", page),
        ("a proxy's 502", (502, {"Content-Type": "text/html"}, b"<h1>502</h1>")),
        ("an empty 404", (404, {}, b"")),
        ("a list", (200, JSON, [1])),
        ("null", (200, JSON, b"null")),
        ("another object", (200, JSON, {"hello": "world"})),
        ("a 204", (204, {}, b"")),
    ):
        for command in ("test-module", "iam-get-user", "iam-disable-user", "iam-operation-get"):
            with Fake([answer]) as fake:
                found = error_of(
                    instance(url=fake.url), command, {"operation-id": "1"} if "operation" in command else None
                )
            checks.check(
                f"{name} to {command}: an error in words",
                found and ("aws-ilm" in found or "the service's" in found.lower()),
                found,
            )
    with Fake([page]) as fake:
        found = error_of(instance(url=fake.url, enable_user_enabled=False), "iam-update-user")
        checks.check("also where a dry run comes first", found and "aws-ilm" in found, found)


def callers(checks, binary, directory, unified):
    """Keys: right, wrong, missing, without the right; and their quota."""
    with service.Caller(binary, "soar") as caller, tempfile.TemporaryDirectory(prefix="aws-ilm-soar-") as folder:
        file = f"{folder}/callers.toml"
        with open(caller.environment["AWS_ILM_CALLERS_FILE"]) as lines:
            text = lines.read().replace("requests_per_second = 10000", "requests_per_second = 1")
        with open(file, "w") as lines:
            lines.write(text)
        settings = {**directory.environment, "AWS_ILM_CALLERS_FILE": file}
        with service.Service(binary, environment=settings, name="soar-callers") as ours:

            def instance(key):
                return Instance(unified, {"url": ours.url, "credentials": {"identifier": "", "password": key}})

            checks.equal(
                "the right key, under a quota of one request a second", instance(caller.key).run("test-module"), ["ok"]
            )
            checks.equal("white space around it is none of it", instance(f" {caller.key}\n").run("test-module"), ["ok"])
            for name, key in (("wrong", caller.key[:-1] + "x"), ("missing", ""), ("missing", None)):
                found = error_of(instance(key))
                checks.check(
                    f"a key that is {name}: an error that says so, without the key",
                    found and "Not authenticated" in found and caller.key[:-1] not in found,
                    found,
                )
        with open(file, "w") as lines:
            lines.write(
                text.replace('commands = ["*"]', 'commands = ["read"]').replace("second = 1\n", "second = 1000\n")
            )
        with service.Service(binary, environment=settings, name="soar-callers") as ours:
            found = error_of(instance(caller.key), "iam-disable-user")
            checks.check(
                "a right that is missing: an error that names it",
                found and "Not allowed" in found and "iam-disable-user" in found,
                found,
            )


def directory_away(checks, binary, directory, unified):
    """A service that is there while its directory is not: Test says which of the two it is."""
    settings = {**directory.environment, "AWS_ILM_AUTHENTICATION_TOKEN": "wrong"}
    with service.Service(binary, environment=settings, name="soar-tokenless") as ours:
        one = Instance(unified, {"url": ours.url})
        found = error_of(one, "test-module")
        checks.check(
            "a token that AWS refuses: Test says that the service is there, but its directory is not",
            found and "The service is there, but its directory is not" in found and "authentication_token" in found,
            found,
        )
        [entry] = one.run("iam-disable-user", {"user-profile": PERSON})
        checks.check(
            "and a command is a failed result with AWS's status",
            entry["Type"] != ERROR and not entry["Contents"]["success"] and entry["Contents"]["errorCode"] == 401,
            entry,
        )


def tls(checks, binary, directory, unified):
    """A certificate of an unknown authority is refused, unless the form says otherwise."""
    with tempfile.TemporaryDirectory(prefix="aws-ilm-soar-") as folder:
        subprocess.run(
            [
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-keyout",
                "key.pem",
                "-out",
                "crt.pem",
                "-days",
                "2",
                "-subj",
                "/CN=localhost",
                "-addext",
                "subjectAltName=IP:127.0.0.1",
            ],
            cwd=folder,
            check=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
        )
        settings = {
            **directory.environment,
            "AWS_ILM_TLS_CERTIFICATE_FILE": f"{folder}/crt.pem",
            "AWS_ILM_TLS_KEY_FILE": f"{folder}/key.pem",
        }
        with service.Service(binary, environment=settings, name="soar-tls", is_awaited=False) as ours:
            url = ours.url.replace("http:", "https:")

            def instance(**entered):
                return Instance(unified, {"url": url, **entered})

            checks.check("with `insecure` it is reached", until_ready(instance(insecure=True)))
            found = error_of(instance(), "test-module")
            checks.check("without, the certificate is refused", found and "CERTIFICATE_VERIFY_FAILED" in found, found)
            found = error_of(instance(url=ours.url), "test-module")
            checks.check("plain HTTP at that port is an error", found, found)


def until_ready(instance):
    """Whether the service answers within its time to start."""
    deadline = time.monotonic() + service.START_SECONDS
    while time.monotonic() < deadline:
        if instance.run("test-module") == ["ok"]:
            return True
    return False
