#!/usr/bin/env python3
"""Makes clients from the OpenAPI document with other people's generators and uses them against the service, the sandbox
behind it: openapi-python-client, and openapi-typescript with openapi-fetch, which also has to compile.

    python3 tests/suites/clients.py [--binary target/debug/aws-ilm]
    python3 tests/suites/clients.py --untried

When all of it works, the document's digest is written beside this file. `--untried` makes nothing: it compares the digest
of the document with that one, and fails when the document has changed since.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys

import service

GENERATOR = "openapi-python-client==0.29.1"
DOCUMENT = service.ROOT / "openapi" / "openapi.json"
SUITES = service.ROOT / "tests" / "suites"
DIGEST = SUITES / "clients.digest"
HOME = service.WORK / "clients"

EXPECTED = [
    ["done", 200, "UserEnvelope", ["get", True, None]],
    ["done, from a text", 200, "UserEnvelope", ["get", True, None]],
    ["dry run", 200, "UserDryRun", [1, "update"]],
    ["skipped", 200, "UserEnvelope", ["disable", True, None]],
    ["bad data", 400, "UserEnvelope", ["get", False, 400]],
    ["absent", 404, "UserEnvelope", ["get", False, 404]],
    ["conflict", 409, "UserEnvelope", ["create", False, 409]],
    ["group", 200, "GetGroupEnvelope", [True, "The best group"]],
    ["group's conflict", 409, "CreateGroupEnvelope", [False, 409]],
    ["problem 400", 400, "Problem", ["/problems/bad-parameter", 400]],
    ["problem 401", 401, "Problem", ["/problems/unauthorised", 401]],
    ["problem 404", 404, "Problem", ["/problems/no-such-instance", 404]],
]
"""What every client has to print, call by call."""


def digest():
    """The document's digest."""
    return hashlib.sha256(DOCUMENT.read_bytes()).hexdigest()


def untried():
    """Whether the document has changed since clients of it were last tried, as an exit code."""
    if DIGEST.exists() and DIGEST.read_text().strip() == digest():
        print("clients of this document have been tried")
        return 0
    print("openapi/openapi.json has changed since clients of it were last tried: python3 tests/suites/clients.py\n"
          "(it needs a built service and npm, and writes tests/suites/clients.digest when all of it works)")
    return 1


def run(*command, directory=HOME):
    """Runs a tool to its end and returns what it printed; raises with all of it when it fails."""
    done = subprocess.run([str(part) for part in command], cwd=directory, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def python_client():
    """Makes the Python client; returns the command that uses it."""
    generator = service.python_tool("openapi-python-client", GENERATOR)
    told = run(generator, "generate", "--path", DOCUMENT, "--output-path", HOME / "aws_ilm_client", "--meta", "none",
               "--overwrite", "--config", SUITES / "clients" / "generator.yml")
    if "Warning" in told:
        raise RuntimeError(f"the generator left something out:\n{told}")
    shutil.copy(SUITES / "clients" / "client.py", HOME)
    return [generator.parent / "python", HOME / "client.py"]


def typescript_client():
    """Makes the types and compiles what uses them; returns the command that uses it."""
    for name in ("package.json", "tsconfig.json", "client.ts"):
        shutil.copy(SUITES / "clients" / name, HOME)
    run("npm", "install", "--no-audit", "--no-fund", "--loglevel=error")
    tools = HOME / "node_modules" / ".bin"
    run(tools / "openapi-typescript", DOCUMENT, "--output", HOME / "schema.d.ts")
    run(tools / "tsc", "--project", HOME)
    return ["node", HOME / "made" / "client.js"]


def main():
    """Makes and uses both clients, and returns the exit code."""
    parser = argparse.ArgumentParser(description="Makes clients from the OpenAPI document and uses them.")
    parser.add_argument("--untried", action="store_true", help="only tell whether the document has changed since")
    service.binary_argument(parser)
    options = parser.parse_args()
    if options.untried:
        return untried()

    checks = service.Checks()
    HOME.mkdir(parents=True, exist_ok=True)
    with service.Caller(options.binary, "clients") as caller:
        for language, make in (("Python", python_client), ("TypeScript", typescript_client)):
            # Each has a sandbox of its own, so that both find the same people.
            with service.Service(options.binary, ["--sandbox"], caller.environment, name="aws-ilm-clients") as ours, \
                    checks.section(f"the client in {language}"):
                served = service.request("GET", f"{ours.url}/openapi.json").text
                checks.check(f"{language}: the document is the one that the service serves",
                             served == DOCUMENT.read_text(), "build the service, or write the document anew")
                found = [json.loads(line) for line in run(*make(), ours.url, caller.key).splitlines()]
                for expected, one in zip(EXPECTED, found):
                    checks.equal(f"{language}: {expected[0]}: {expected[1]} {expected[2]}", one, expected)
                checks.equal(f"{language}: every call was made", len(found), len(EXPECTED))
    if checks.finish():
        return 1
    DIGEST.write_text(digest() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
