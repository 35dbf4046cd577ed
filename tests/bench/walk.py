#!/usr/bin/env python3
"""Lists the files of `src/` that one `iam-create-user` passes through, from socket to socket.

    python3 tests/bench/walk.py [--binary target/debug/aws-ilm]

The service runs under callgrind with a caller and a sandbox that is a process of its own. Counting begins anew
after a first create, so that what is done once a process falls out, and ends after the answer to a second one, by
the same caller over a new connection. A file counts when instructions of its lines ran. Needs the debug build
(`cargo build`) and valgrind (`apt-get install valgrind`).
"""

import argparse
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "suites"))

import service  # noqa: E402: it is found by the line above

FILE = re.compile(r"(c?)(?:fl|fi|fe)=\((\d+)\)(?: (.*))?")


def create(url, key, name):
    profile = {"username": name, "email": f"{name}@example.com", "givenname": "Ada", "surname": name, "displayname": name}
    answer = service.request("POST", f"{url}/commands/iam-create-user", {"user-profile": profile}, {"X-API-Key": key})
    if answer.status != 200:
        raise RuntimeError(f"nothing was created: {answer}")


def passed(profile):
    """The files of `src/` that a callgrind profile has costs of; it names a file once and then by its number."""
    names, current, files = {}, None, set()
    for line in profile.read_text("utf-8").splitlines():
        if found := FILE.fullmatch(line):
            called, number, name = found.groups()
            name = names.setdefault(number, name)
            current = current if called else name
        elif line[:1].isdigit() or line[:1] in "+-*":
            files.add(current)
    ours = f"{ROOT}/src/"
    return sorted(name.removeprefix(ours) for name in files if name and name.startswith(ours))


def control(process, *arguments):
    subprocess.run(["callgrind_control", *arguments, str(process._child.pid)], check=True, stdout=subprocess.DEVNULL)
    # The command goes through a file that valgrind polls; the next request must come after it.
    time.sleep(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    service.binary_argument(parser)
    binary = parser.parse_args().binary
    out = service.WORK / "walk.callgrind"
    for stale in service.WORK.glob("walk.callgrind*"):
        stale.unlink()
    there, here = service.free_port(), service.free_port()
    directory = [binary, "sandbox", "--listen", f"127.0.0.1:{there}"]
    valgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}"]
    with service.Caller(binary, "walk") as caller, service.Process("walk-directory", directory) as sandbox:
        sandbox.wait_for(f"http://127.0.0.1:{there}/sandbox/state")
        settings = {"AWS_ILM_URL": f"http://127.0.0.1:{there}/sandbox-tenant/scim/v2/",
                    "AWS_ILM_AUTHENTICATION_TOKEN": "sandbox-token", **caller.environment}
        command = [*valgrind, binary, "serve", "--listen", f"127.0.0.1:{here}"]
        with service.Process("walk-service", command, settings) as process:
            url = f"http://127.0.0.1:{here}"
            process.wait_for(f"{url}/health/live")
            create(url, caller.key, "first")
            control(process, "--zero")
            create(url, caller.key, "second")
            control(process, "--dump")
            files = passed(min(service.WORK.glob("walk.callgrind.*")))
    print(*files, sep="\n")
    print(f"{len(files)} files")


if __name__ == "__main__":
    main()
