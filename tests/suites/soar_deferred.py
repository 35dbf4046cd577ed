"""Asynchronous commands of the XSOAR integration: stored by the service, polled by XSOAR, told as if they had
been waited for; what ends otherwise, and answers that get lost."""

import json
import tempfile
import time

import service
from soar_cases import normalised
from soar_fake import LOST, PASSED, SILENT, Fake
from xsoar_runtime import Instance

PERSON = {
    "username": "test",
    "email": "test@example.com",
    "givenname": "Test",
    "surname": "User",
    "displayname": "Test",
}
LATER = "?notBefore=2035-01-31T17:00:00Z"
DEFER = {"Prefer": "respond-async"}
ERROR = 4


def run(checks, binary, unified):
    """Runs all parts against a service with a store, and one without."""
    state = {"users": [], "groups": [{"id": "g-1", "displayName": "The best group"}]}
    with service.Directory(binary, state, name="soar-deferred-directory") as directory, tempfile.TemporaryDirectory(
        prefix="aws-ilm-soar-"
    ) as folder:
        settings = {
            "AWS_ILM_STORE_PATH": f"{folder}/store.db",
            "AWS_ILM_RETRY_SCHEDULE": "10ms, 10ms",
            "AWS_ILM_COMMAND_TIMEOUT": "2s",
        }
        with service.Service(binary, environment={**directory.environment, **settings}, name="soar-deferred") as ours:

            def instance(**entered):
                return Instance(unified, {"url": ours.url, "asynchronous": True, **entered})

            for part in (ended_soon, polled, buried, failed_and_skipped, cancelled, shown, old_server):
                with checks.section(part.__name__):
                    part(checks, directory, ours, instance)
            with checks.section("lost answers"):
                lost_answers(checks, directory, ours, unified)
            with checks.section("a service that is away"):
                away(checks, ours, unified)
        with service.Service(binary, environment=directory.environment, name="soar-storeless") as ours:
            without_store(checks, Instance(unified, {"url": ours.url, "asynchronous": True}))


def operations(ours):
    """Every operation of the service, the newest first."""
    return service.request("GET", f"{ours.url}/operations").json["operations"]


def is_vendor(instance, **expected):
    """Whether the context's last user result has these values."""
    vendor = instance.context.get("IAM.Vendor")[-1]
    return {key: vendor[key] for key in expected} == expected


def ended_soon(checks, directory, ours, instance):
    """A command that is done within the first wait is told at once, just as one that was waited for."""
    asynchronous, plain = instance(), instance(asynchronous=False)
    checks.equal("Test is content with a store", asynchronous.run("test-module"), ["ok"])
    [entry] = asynchronous.run("iam-create-user", {"user-profile": PERSON})
    checks.check("a creation that ends soon is not polled", "PollingCommand" not in entry, entry)
    checks.check(
        "its context has the operation, ended",
        asynchronous.context.is_equal_string("IAM.Operation.state", "done")
        and asynchronous.context.is_equal_string("IAM.Operation.hasEnded", "true"),
        asynchronous.context.values,
    )
    checks.check(
        "and the answer",
        is_vendor(asynchronous, action="create", success=True, active=True, username="test"),
        asynchronous.context.values,
    )
    service.request("PUT", f"{directory.url}/sandbox/state", {"users": [], "groups": []})
    plain.run("iam-create-user", {"user-profile": PERSON})
    both = [
        normalised(one.context.get(path)) for path in ("IAM.Vendor", "IAM.UserProfile") for one in (plain, asynchronous)
    ]
    checks.equal("which is that of a command that was waited for", both[::2], both[1::2])
    before = len(operations(ours))
    asynchronous.run("iam-get-user", {"user-profile": PERSON})
    checks.equal("a read is never stored", len(operations(ours)), before)


def polled(checks, directory, ours, instance):
    """A command that takes longer than the first wait is polled by iam-operation-get."""
    directory.script([{"kind": {"slow": {"milliseconds": 7000, "work_late": False}}, "api": "CreateUser"}])
    waiting = instance()
    person = {**PERSON, "username": "slow", "email": "slow@example.com"}
    entries = waiting.run("iam-create-user", {"user-profile": json.dumps(person)})
    [entry] = entries
    checks.equal(
        "what is not done yet is polled, and not shown again and again",
        (
            entry.get("PollingCommand"),
            entry["PollingArgs"]["operation-id"] if "PollingArgs" in entry else None,
            entry.get("PollingArgs", {}).get("hide_polling_output"),
        ),
        ("iam-operation-get", operations(ours)[0]["id"], True),
    )
    checks.check(
        "until then there is no answer to branch on", not waiting.context.get("IAM.Vendor"), waiting.context.values
    )
    waiting.run_to_end(entry["PollingCommand"], entry["PollingArgs"], polls=60, between=lambda: time.sleep(0.2))
    checks.check(
        "then the answer is there",
        is_vendor(waiting, action="create", success=True, username="slow"),
        waiting.context.values,
    )
    checks.equal(
        "and one operation in the context", [one["state"] for one in waiting.context.get("IAM.Operation")], ["done"]
    )
    directory.script([])


def buried(checks, directory, ours, instance):
    """What was tried for the last time is a failed result."""
    directory.script([{"kind": {"status": {"status": 500}}, "api": "CreateUser", "times": "forever"}])
    failing = instance()
    person = {**PERSON, "username": "buried", "email": "buried@example.com"}
    failing.run_to_end("iam-create-user", {"user-profile": person}, polls=200, between=lambda: time.sleep(0.2))
    directory.script([])
    checks.check(
        "a buried operation says so",
        failing.context.is_equal_string("IAM.Operation.state", "buried"),
        failing.context.values,
    )
    checks.check(
        "and is a failed result with the directory's status",
        is_vendor(failing, success=False, errorCode=500),
        failing.context.values,
    )
    [buried_id] = failing.context.get("IAM.Operation.id")
    service.request("POST", f"{ours.url}/operations/{buried_id}/retry")
    retried = instance()
    retried.run_to_end(
        "iam-operation-get", {"operation-id": buried_id, "polling": "true"}, polls=100, between=lambda: time.sleep(0.2)
    )
    checks.check(
        "tried again after the mend, it is done",
        is_vendor(retried, success=True, username="buried"),
        retried.context.values,
    )


def failed_and_skipped(checks, directory, ours, instance):
    """Failures of data and skips end at once."""
    failing = instance()
    [entry] = failing.run("iam-create-user", {"user-profile": {"username": "nameless", "email": "n@example.com"}})
    checks.check(
        "data that can't be sent are a failed result, and no error",
        entry["Type"] != ERROR and is_vendor(failing, success=False, errorCode=400, skipped=False),
        entry,
    )
    checks.check(
        "whose message names the field",
        failing.context.text("${IAM.Vendor(val.success==false).errorMessage}"),
        failing.context.values,
    )
    skipping = instance()
    skipping.run("iam-disable-user", {"user-profile": {"username": "nobody"}})
    checks.check(
        "a skip is a success with its reason",
        is_vendor(skipping, success=True, skipped=True, reason="User does not exist"),
        skipping.context.values,
    )
    refused = instance()
    [entry] = refused.run("iam-create-user", {"user-profile": "not JSON"})
    checks.check(
        "a profile that can't be read is a failed result as well",
        entry["Type"] != ERROR and is_vendor(refused, success=False, errorCode=400),
        entry,
    )


def cancelled(checks, directory, ours, instance):
    """What is cancelled while XSOAR waits is a failed result, for users and groups."""
    profile = {"username": "later", "email": "later@example.com"}
    for command, arguments, key, expected in (
        (
            "iam-disable-user",
            {"user-profile": profile},
            "IAM.Vendor",
            {"action": "disable", "success": False, "email": "later@example.com", "skipped": False},
        ),
        (
            "iam-update-group",
            {"scim": {"id": "g-1"}, "memberIdsToAdd": ["u-1"]},
            "UpdateGroup",
            {"success": False, "id": "g-1"},
        ),
    ):
        stored = ours.command(command, arguments, LATER, DEFER).json["id"]
        waiting = instance()
        waiting.run_to_end(
            "iam-operation-get",
            {"operation-id": stored, "polling": "true"},
            polls=1,
            between=lambda: service.request("POST", f"{ours.url}/operations/{stored}/cancel"),
        )
        [result] = waiting.context.get(key)
        checks.equal(f"{command}, cancelled: a failed result", {name: result[name] for name in expected}, expected)
        checks.check(
            f"{command}, cancelled: which says so", f"{stored} was cancelled" in result["errorMessage"], result
        )
        keys = set(ours.command(command, arguments).json[key.split(".")[0]].get("Vendor", {}))
        if keys:
            checks.equal(f"{command}, cancelled: with all keys of an answer", set(result), keys)


def shown(checks, directory, ours, instance):
    """iam-operation-get without polling, and of what is not there."""
    stored = ours.command(
        "iam-disable-user", {"user-profile": {"username": "shown"}}, LATER + "&purpose=leave", DEFER
    ).json
    looking = instance(asynchronous=False)
    [entry] = looking.run("iam-operation-get", {"operation-id": stored["id"]})
    checks.check("an operation is shown as it is", "PollingCommand" not in entry, entry)
    checks.equal(
        "with its state, time and purpose",
        [
            looking.context.text(f"${{IAM.Operation.{field}}}")
            for field in ("state", "notBefore", "purpose", "hasEnded")
        ],
        ["scheduled", "2035-01-31T17:00:00.000Z", "leave", "false"],
    )
    for unknown in ("00000000-0000-4000-8000-000000000000", "../capabilities", "a b", "ü"):
        [entry] = looking.run("iam-operation-get", {"operation-id": unknown})
        checks.check(
            f"operation {unknown!r}: an error that names the fault",
            entry["Type"] == ERROR and "operation" in entry["Contents"],
            entry,
        )


def old_server(checks, directory, ours, instance):
    """A server before 6.2 can't poll: nothing is sent then."""
    old = instance()
    old.version = (6, 0)
    before = len(operations(ours))
    [entry] = old.run("iam-create-user", {"user-profile": PERSON})
    checks.check(
        "a server that can't poll is told so", entry["Type"] == ERROR and "not supported" in entry["Contents"], entry
    )
    checks.equal("before anything is sent", len(operations(ours)), before)
    [entry] = old.run("iam-get-user", {"user-profile": PERSON})
    checks.check("it reads all the same", entry["Type"] != ERROR, entry)


def lost_answers(checks, directory, ours, unified):
    """A deferred command whose answer gets lost is sent again under its key; one without a key never is."""
    person = {**PERSON, "username": "lost", "email": "lost@example.com"}
    with Fake([LOST, LOST, PASSED], ours.url) as fake:
        before = len(operations(ours))
        losing = Instance(unified, {"url": fake.url, "asynchronous": True})
        losing.run_to_end("iam-create-user", {"user-profile": person}, between=lambda: time.sleep(0.2))
        posts = [headers.get("Idempotency-Key") for method, _, headers, _ in fake.requests if method == "POST"]
        checks.check(
            "answers that get lost are asked for again under one key",
            len(posts) == 3 and len(set(posts)) == 1 and posts[0],
            fake.requests,
        )
        checks.equal("and one operation comes of it", len(operations(ours)) - before, 1)
        checks.check("which is done", is_vendor(losing, action="create", success=True), losing.context.values)
    with Fake([SILENT, PASSED], ours.url) as fake:
        before = len(operations(ours))
        hurried = unified.replace("REQUEST_SECONDS = 100", "REQUEST_SECONDS = 1")
        waiting = Instance(hurried, {"url": fake.url, "asynchronous": True})
        waiting.run_to_end("iam-disable-user", {"user-profile": person}, between=lambda: time.sleep(0.2))
        checks.equal(
            "an answer that does not come in time is asked for again, and done once",
            (len(operations(ours)) - before, is_vendor(waiting, action="disable", success=True, skipped=False)),
            (1, True),
        )
    with Fake([LOST, PASSED], ours.url) as fake:
        [entry] = Instance(unified, {"url": fake.url}).run("iam-disable-user", {"user-profile": person})
        checks.check(
            "without a key it is an error for the playbook to react to",
            entry["Type"] == ERROR and len(fake.requests) == 1,
            entry,
        )
    at_once = ours.command("iam-get-user", {"user-profile": person}).json
    with Fake([(200, {"Content-Type": "application/json"}, at_once)]) as fake:
        [entry] = Instance(unified, {"url": fake.url, "asynchronous": True}).run(
            "iam-disable-user", {"user-profile": person}
        )
        checks.check(
            "what is answered at once though it was to be stored is the answer",
            entry["Type"] != ERROR and "IAM.Operation" not in str(entry),
            entry,
        )
    unknown = {"id": "1", "state": "some_new_state", "command": "iam-create-user", "attempts": [], "envelope": None}
    with Fake([(202, {"Content-Type": "application/json"}, unknown), (200, {}, unknown)]) as fake:
        [entry] = Instance(unified, {"url": fake.url, "asynchronous": True}).run(
            "iam-create-user", {"user-profile": person}
        )
        checks.check("a state of a later release counts as not ended", entry.get("PollingCommand"), entry)


def away(checks, ours, unified):
    """A service that is away while XSOAR waits does not end the waiting; one that does not know the operation
    does."""
    person = {**PERSON, "username": "away", "email": "away@example.com"}
    gone = (502, {"Content-Type": "text/html"}, b"<h1>502 Bad Gateway</h1>")
    for name, answers in (
        ("a proxy's 502", [PASSED, gone, gone, PASSED]),
        ("no answer", [PASSED, *[LOST] * 8, PASSED]),
    ):
        with Fake(answers, ours.url) as fake:
            waiting = Instance(unified, {"url": fake.url, "asynchronous": True})
            [entry] = waiting.run("iam-update-user", {"user-profile": person})
            checks.check(
                f"{name} to the first question: it is asked again",
                entry.get("PollingCommand") and entry["Type"] != ERROR,
                entry,
            )
            waiting.run_to_end(entry["PollingCommand"], entry["PollingArgs"], between=lambda: time.sleep(0.2))
            checks.check(
                f"{name} to a poll: its end is told all the same",
                is_vendor(waiting, success=True, username="away"),
                waiting.context.values,
            )
    problem = {
        "type": "/problems/no-such-operation",
        "title": "No such operation",
        "status": 404,
        "detail": "It is not there.",
    }
    with Fake([PASSED, (404, {"Content-Type": "application/problem+json"}, problem)], ours.url) as fake:
        [entry] = Instance(unified, {"url": fake.url, "asynchronous": True}).run(
            "iam-update-user", {"user-profile": person}
        )
        checks.check(
            "an operation that is not there is an error",
            entry["Type"] == ERROR and "No such operation" in entry["Contents"],
            entry,
        )


def without_store(checks, instance):
    """A service without a store refuses what is to be stored, and Test says so."""
    [entry] = instance.run("test-module")
    checks.check(
        "Test says that asynchronous commands need a store",
        entry["Type"] == ERROR and "store_path" in entry["Contents"],
        entry,
    )
    [entry] = instance.run("iam-create-user", {"user-profile": PERSON})
    checks.check(
        "a command is an error that says so", entry["Type"] == ERROR and "no store" in entry["Contents"], entry
    )
