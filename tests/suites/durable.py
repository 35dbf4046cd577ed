#!/usr/bin/env python3
"""Holds what is promised of the store's file, from outside.

A trace of system calls shows that an operation is on the disk before its 202 is sent. A disk that is really full, a
small tmpfs, shows what is refused, what goes on, that nothing accepted is lost, and that all is well again by itself
once there is room; that holds for signed webhooks as well (`durable_webhooks.py`), also while another program has the
file locked. A second process is refused the file with the name of the first.

    python3 tests/suites/durable.py [--binary target/debug/aws-ilm]

What the machine does not allow (mounting takes root, tracing a kernel that lets it) is said and left out.
"""

import argparse
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tempfile

import durable_webhooks
import service
from durable_disk import PATIENCE, fill, small_disk, store_status, until

DEFER = {"Prefer": "respond-async"}

SLEEPER = "?notBefore=2035-01-01T00:00:00Z"
"""For operations that have to stay."""

SYNC = re.compile(r"^(?:fsync|fdatasync)\(\d+<[^>]*store\.db-wal>")
WAL_WRITE = re.compile(r"^(?:pwrite64|pwritev|write|writev)\(\d+<[^>]*store\.db-wal>")
ACCEPTED = re.compile(r"^(?:sendto|sendmsg|write|writev)\(.*HTTP/1\.1 202 ")
RECEIVED = re.compile(r"^(?:recvfrom|recvmsg|read|readv)\(.*POST /commands/")


def person(number):
    """A user of the directory."""
    return {"id": f"user-{number}", "userName": f"person.{number}", "displayName": "A Person", "active": True,
            "name": {"givenName": "A", "familyName": "Person"}}


def update(number, title):
    """The arguments of an update."""
    return {"user-profile": {"username": f"person.{number}", "title": title}, "allow-enable": False}


def disable(number):
    """The arguments of a disable."""
    return {"user-profile": {"username": f"person.{number}"}}


class Call:
    """One system call of a trace: its text with its result, and the lines of its beginning and its end."""

    def __init__(self, text, began, ended):
        self.text = text
        self.began = began
        self.ended = ended


def calls(trace):
    """The system calls of a trace by strace, those that other threads interrupted put together again."""
    found, unfinished = [], {}
    for line, text in enumerate(trace.splitlines()):
        thread, _, call = text.partition(" ")
        call = call.strip()
        resumed = re.match(r"<\.\.\. \w+ resumed>", call)
        if call.endswith("<unfinished ...>"):
            unfinished[thread] = (call.removesuffix("<unfinished ...>"), line)
        elif resumed and thread in unfinished:
            beginning, began = unfinished.pop(thread)
            found.append(Call(beginning + call[resumed.end():], began, line))
        else:
            found.append(Call(call, line, line))
    return found


def check_trace(checks, binary, directory, folder):
    """That what is accepted is synced before its 202 is written."""
    trace = service.WORK / "durable.strace"
    service.WORK.mkdir(parents=True, exist_ok=True)
    environment = directory.environment | {"AWS_ILM_STORE_PATH": f"{folder}/store.db"}
    with service.Service(binary, environment=environment, name="durable-traced") as ours:
        command = ["strace", "-f", "-y", "-s", "200", "-p", str(ours.pid), "-o", str(trace), "-e",
                   "trace=fsync,fdatasync,pwrite64,pwritev,write,writev,sendto,sendmsg,recvfrom,recvmsg,read,readv"]
        log = service.WORK / "durable.strace.log"
        with open(log, "wb") as output:
            tracer = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        # What it says once it traces every thread.
        until(lambda: tracer.poll() is not None or "attached" in log.read_text())
        if tracer.poll() is not None:
            print(f"      not done: strace can't trace here: {log.read_text()}")
            return False
        answer = ours.command("iam-update-user", update(0, "Traced"), headers=DEFER, query=SLEEPER)
        checks.equal("an operation is accepted", answer.status, 202)
        tracer.terminate()
        tracer.wait()
    found = calls(trace.read_text("utf-8", "replace"))
    received = next((call.began for call in found if RECEIVED.search(call.text)), None)
    accepted = next((call.began for call in found if ACCEPTED.search(call.text)), None)
    if not checks.check("the trace shows the request and its 202", received is not None and accepted is not None,
                        f"{received} {accepted} in {trace}"):
        return True
    between = [call for call in found if received < call.began and call.ended < accepted]
    written = [call.ended for call in between if WAL_WRITE.search(call.text)]
    synced = [call.began for call in between if SYNC.search(call.text) and call.text.rstrip().endswith("= 0")]
    checks.check("between the two the store's journal is written", written, f"{trace}: {received} to {accepted}")
    checks.check("and what was written is synced before the 202 is sent", written and synced and max(synced) > max(written),
                 f"{trace}: request {received}, written {written}, synced {synced}, answered {accepted}")
    return True


def is_active(directory, number):
    """Whether the directory has this person active."""
    return next(user["active"] for user in directory.users() if user["id"] == f"user-{number}")


def check_full(checks, binary, directory, folder):
    """What becomes of everything while the disk is full, and afterwards."""
    environment = directory.environment | {"AWS_ILM_STORE_PATH": f"{folder}/store.db"}
    kept = []

    def accepted(ours, number, title):
        answer = ours.command("iam-update-user", update(number, title), headers=DEFER, query=SLEEPER)
        if answer.status == 202:
            kept.append(answer.json["id"])
        return answer

    with service.Service(binary, environment=environment, name="durable-full") as ours:
        for number in range(5):
            checks.equal(f"there is room for operation {number}", accepted(ours, number, "Room").status, 202)
        checks.equal("the store is well", store_status(ours), (200, "ready", "ok"))
        fill(folder)
        refused = None
        for _ in range(3000):
            refused = accepted(ours, 1, "x" * 1000)
            if refused.status != 202:
                break
        checks.equal("once the disk is full a command is refused",
                     (refused.status, (refused.json or {}).get("type")), (503, "/problems/store-unavailable"))
        checks.check("and told when to come again", refused.headers.get("Retry-After"), dict(refused.headers))
        print(f"      {len(kept)} were accepted before that")
        while_full(checks, ours, directory)
        # Not even a crash changes what was promised.
        ours.kill()
    with service.Service(binary, environment=environment, name="durable-full") as ours:
        checks.check("it starts while the disk is full", True)
        found = [service.request("GET", f"{ours.url}/operations/{one}").status for one in kept]
        checks.equal("after a crash on a full disk every 202 is there", set(found), {200})
        (folder / "filling").unlink()
        checks.check("once there is room commands are accepted again",
                     until(lambda: accepted(ours, 3, "Room again").status == 202), store_status(ours))
        checks.check("and the store is well again by itself", until(lambda: store_status(ours)[2] == "ok"),
                     store_status(ours))
        answer = ours.command("iam-update-user", update(4, "Worked"))
        checks.equal("a command that is waited for goes through the store again", answer.status, 200)
        found = [service.request("GET", f"{ours.url}/operations/{one}").json["state"] for one in kept]
        checks.equal("every 202 is there, and waits for its time", set(found), {"scheduled"})
        checks.check("it has not panicked", "panicked" not in ours.text(), ours.tail())


def while_full(checks, ours, directory):
    """What goes on while the disk is full, and what does not."""
    checks.check("readiness says that the store is degraded, and takes requests",
                 until(lambda: store_status(ours) == (200, "ready", "degraded")), store_status(ours))
    answer = ours.command("iam-update-user", update(2, "x" * 1000))
    checks.equal("a command that is waited for is refused as well",
                 (answer.status, (answer.json or {}).get("type")), (503, "/problems/store-unavailable"))
    checks.check("and was not carried out", not any(user["id"] == "user-2" and user.get("title") for user in directory.users()))
    answer = ours.command("iam-disable-user", disable(0))
    checks.equal("a disable goes on", (answer.status, is_active(directory, 0)), (200, False))
    answer = ours.command("iam-disable-user", disable(1), headers=DEFER)
    checks.equal("one that would be stored goes on at once", (answer.status, is_active(directory, 1)), (200, False))
    checks.check("and is not told to be stored", answer.headers.get("Preference-Applied") is None, answer.headers)
    answer = ours.command("iam-disable-user", disable(2), headers=DEFER, query=SLEEPER)
    checks.equal("one for later is refused", (answer.status, is_active(directory, 2)), (503, True))
    answer = ours.command("iam-get-user", disable(3))
    checks.equal("a read goes on", answer.status, 200)
    checks.equal("the store stays degraded while the disk is full", store_status(ours), (200, "ready", "degraded"))


def check_second(checks, binary, directory, folder):
    """That one process has the file, and its owner alone can read it."""
    environment = directory.environment | {"AWS_ILM_STORE_PATH": f"{folder}/store.db"}
    with service.Service(binary, environment=environment, name="durable-first") as ours:
        checks.equal("something is stored", ours.command("iam-update-user", update(0, "One"), headers=DEFER).status, 202)
        kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TMPDIR") if key in os.environ}
        second = subprocess.run([str(binary), "serve", "--listen", f"127.0.0.1:{service.free_port()}"],
                                env=kept | environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                timeout=PATIENCE)
        told = second.stdout + second.stderr
        checks.check("a second process is refused the store", second.returncode not in (0, None), told)
        checks.check("with the name of the first, and the setting",
                     f"process {ours.pid}," in told and "AWS_ILM_STORE_PATH" in told, told)
        files = sorted(pathlib.Path(folder).iterdir())
        checks.check("the store has its file, its journal and its lock",
                     {"store.db", "store.db-wal", "store.db.lock"} <= {file.name for file in files}, files)
        modes = {file.name: oct(stat.S_IMODE(file.stat().st_mode)) for file in files}
        checks.equal("only its owner can read them", set(modes.values()), {"0o600"})
        ours.kill()
    with service.Service(binary, environment=environment, name="durable-first"):
        checks.check("when the first is gone, even killed, the store is free", True)


def main():
    """Runs all parts and returns the exit code."""
    parser = argparse.ArgumentParser(description="Holds what is promised of the store's file.")
    service.binary_argument(parser)
    options = parser.parse_args()

    checks = service.Checks()
    was_done = []
    with service.Directory(options.binary, {"users": [person(number) for number in range(6)], "groups": []},
                           name="durable-sandbox") as directory:
        folder = tempfile.mkdtemp(prefix="aws-ilm-durable-")
        try:
            with checks.section("the trace"):
                (pathlib.Path(folder) / "traced").mkdir()
                was_done.append(check_trace(checks, options.binary, directory, f"{folder}/traced"))
            with checks.section("the second process"):
                (pathlib.Path(folder) / "second").mkdir()
                check_second(checks, options.binary, directory, f"{folder}/second")
            with checks.section("the locked store"):
                (pathlib.Path(folder) / "locked").mkdir()
                durable_webhooks.check_locked(checks, options.binary, f"{folder}/locked")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        with checks.section("the full disk"), small_disk() as disk:
            was_done.append(disk is not None)
            if disk is not None:
                check_full(checks, options.binary, directory, disk)
    with checks.section("webhooks on the full disk"):
        was_done.append(durable_webhooks.check_full(checks, options.binary))
    code = checks.finish()
    return service.NOT_DONE if code == 0 and not all(was_done) else code


if __name__ == "__main__":
    sys.exit(main())
