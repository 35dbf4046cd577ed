#!/usr/bin/env python3
"""Holds the running service to its own OpenAPI document with schemathesis, the sandbox behind it.

    python3 tests/suites/openapi.py [--long] [--seed N] [--binary target/debug/aws-ilm]

The short form is for every change; `--long` sends many more requests from another seed each time (printed, so that a
failure can be had again).
"""

import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import service
import webhooks

SCHEMATHESIS = "schemathesis==4.32.5"

ON = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
    "missing_required_header",
]

OFF = {
    "negative_data_rejection": "the service takes more than the document's first form on purpose (JSON in strings, "
                               "lists in strings), and a person who is absent is a skip with 200",
    "positive_data_acceptance": "no schema can say who exists or what a directory refuses: a request of the right shape "
                                "is rightly answered with 400, 404 or 409",
    "use_after_free": "looks for DELETE on a resource's path; commands are POSTs that carry ids in their bodies",
    "ensure_resource_availability": "looks for a resource under the path that its creation returned; there is none",
    "ignored_auth": "whoever fails more than ten times at once is told 429, which it takes for a fault; `cargo test` has a table of "
                    "every route with every sort of credential",
    "object_level_authorization": "who may see which instance is no matter of two users and an id; it has tests of its own",
}

CONFIGURATION = service.ROOT / "tests" / "suites" / "schemathesis.toml"
SHORT_EXAMPLES = 25
LONG_EXAMPLES = 600
SHORT_SEED = 20211013


def operations(document):
    """How many operations an OpenAPI document describes."""
    methods = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
    return sum(len(methods & set(path)) for path in document["paths"].values())


def stored(ours, caller, query):
    """Stores a command and returns the id of its operation."""
    headers = {"X-API-Key": caller.key, "Prefer": "respond-async"}
    return ours.command("iam-disable-user", {"user-profile": {"username": "nobody"}}, query, headers).json["id"]


def batch(ours, caller):
    """The id of a batch."""
    element = {"command": "iam-disable-user", "arguments": {"user-profile": {"username": "nobody"}}}
    return service.request("POST", f"{ours.url}/batches", [element], {"X-API-Key": caller.key}).json["id"]


def event(ours):
    """The id of an event, sent to the source of the sandbox as its banner shows."""
    body = {"type": "employee.hired", "data": {"employeeId": "1042"}}
    signature = webhooks.signed(b"no secret, an example only", "msg_1", body)
    return service.request("POST", f"{ours.url}/webhooks/{webhooks.NAME}", body, signature).json["events"][0]


def configuration(ours, caller):
    """Writes the configuration with operations that are there: others are answered with 404, which tests less."""
    ended, later = stored(ours, caller, ""), stored(ours, caller, "?notBefore=2035-01-31T09:00:00Z")
    # Waiting for one that is not due would take as long as it may.
    ids = {"operation-wait": ended} | {f"operation{kind}": later for kind in ("", "-retry", "-cancel", "-move", "-release")}
    ids |= dict.fromkeys(("batch", "batch-operations"), batch(ours, caller))
    ids |= dict.fromkeys(("event", "event-verify-again", "event-replay"), event(ours))
    tables = [f'[[operations]]\ninclude-operation-id = "{operation}"\nparameters = {{ "path.id" = "{number}" }}\n'
              for operation, number in ids.items()]
    written = service.WORK / "schemathesis.toml"
    written.write_text("\n".join([CONFIGURATION.read_text(), *tables]))
    return written


def run(ours, caller, options, report):
    """Runs schemathesis against the service; returns its exit code."""
    long = options.long
    seed = options.seed if options.seed is not None else random.randrange(2**32) if long else SHORT_SEED
    print(f"seed {seed}")
    for check, reason in OFF.items():
        print(f"off   {check}: {reason}")
    sys.stdout.flush()
    command = [
        service.python_tool("schemathesis", SCHEMATHESIS), "--config-file", configuration(ours, caller), "run", f"{ours.url}/openapi.json",
        "--checks", ",".join(ON),
        # Without links between operations there is nothing for the stateful phase to follow.
        "--phases", "examples,coverage,fuzzing",
        "--max-examples", LONG_EXAMPLES if long else SHORT_EXAMPLES,
        "--seed", seed,
        "--header", f"X-API-Key: {caller.key}",
        "--request-timeout", 60,
        "--continue-on-failure",
        # A machine that is busy elsewhere makes data slow to generate; that says nothing of the service.
        "--suppress-health-check", "too_slow,filter_too_much,data_too_large,large_base_example",
        "--generation-database", "none",
        "--report", "json", "--report-json-path", report,
        "--no-color",
    ]
    return subprocess.run([str(part) for part in command], cwd=service.WORK, stdin=subprocess.DEVNULL).returncode


def main():
    """Starts the service with its sandbox, runs schemathesis, and returns the exit code."""
    parser = argparse.ArgumentParser(description="Holds the service to its OpenAPI document.")
    parser.add_argument("--long", action="store_true", help="many more requests, from a new seed")
    parser.add_argument("--seed", type=int, help="the seed of an earlier run")
    service.binary_argument(parser)
    options = parser.parse_args()

    checks = service.Checks()
    report = service.WORK / "schemathesis.json"
    report.unlink(missing_ok=True)
    # With a store, so that every operation of the document does what it says; without one some answer 501.
    with tempfile.TemporaryDirectory() as folder, service.Caller(options.binary, "schemathesis") as caller, \
            service.Service(options.binary, ["--sandbox"], {**caller.environment, "AWS_ILM_STORE_PATH": f"{folder}/store.db"},
                            name="aws-ilm-openapi") as ours:
        document = service.request("GET", f"{ours.url}/openapi.json").json
        checks.check("the document says OpenAPI 3.1", document["openapi"].startswith("3.1."), document["openapi"])
        checks.equal("schemathesis found nothing", run(ours, caller, options, report), 0)
        with checks.section("the report"):
            told = json.loads(pathlib.Path(report).read_text())
            # A run that tested nothing, or was cut short, would also have found nothing.
            checks.check("it ran to its end", told["complete"], told["stop_reason"])
            checks.equal("every operation of the document was tested", told["operations"]["tested"],
                         operations(document))
            # A suite that is turned away at the door tests the door.
            # Webhooks are: no made-up proof proves anything, and `webhooks` of `cargo test` sends others.
            away = {name: [operation for operation in told["warnings"][name] if " /webhooks/" not in operation]
                    for name in ("rate_limited", "missing_auth", "missing_test_data")}
            checks.check("no operation was mostly turned away", not any(away.values()), away)
            print(f"      {told['test_cases']['generated']} test cases")
        alive = service.request("GET", f"{ours.url}/health/live")
        checks.equal("the service is alive afterwards", alive.status, 200)
        checks.check("the key stands nowhere in its log", caller.key not in ours.text())
        checks.check("it has not panicked", "panicked" not in ours.text(), ours.tail())
        checks.check("it stops by itself when asked to", ours.stop() == 0, ours.tail())
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
