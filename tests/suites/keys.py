#!/usr/bin/env python3
"""Sends each request many times under one `Idempotency-Key` while the service is killed, and holds that it was done once.

`aws-ilm sandbox` stands for the directory and survives; `aws-ilm serve`, with a store, is killed by SIGKILL at random
times and started again. Each sender takes one request after the other: a creation or an update that is waited for, one
that is deferred, or a batch. It sends it several times at once, all under one key, and again and again until it has an
answer. In the end each request is sent once more.

Held: all answers to a request are the same, to the byte; the last is marked as a repetition; and the directory was
changed by it once.

    python3 tests/suites/keys.py [--short | --full] [--seed 1] [--binary target/debug/aws-ilm]
"""

import argparse
import collections
import concurrent.futures
import random
import shutil
import sys
import tempfile
import threading
import time

import service

FORMS = {"short": 10, "full": 100}
"""How often the service is killed."""

SENDERS = 6

AT_ONCE = 4
"""How often a request is sent at the same time."""

LIFE = (0.1, 2.0)
"""How long the service may live, in seconds from being ready."""

BATCH = 5
"""How many creations a batch has."""

SETTINGS = {"AWS_ILM_READ_RATE": "2000", "AWS_ILM_WRITE_RATE": "2000"}

KINDS = ("create", "create", "deferred", "update", "batch")


class Request:
    """One request, and the answers that it got."""

    def __init__(self, kind, name):
        self.kind = kind
        self.key = f"key-{name}"
        self.names = [f"{name}-{number}" for number in range(BATCH)] if kind == "batch" else [name]
        self.answers = []

    def path(self):
        """Where it is sent to."""
        return {"batch": "/batches", "update": "/commands/iam-update-user"}.get(self.kind, "/commands/iam-create-user")

    def body(self):
        """What is sent."""
        if self.kind == "batch":
            return [{"command": "iam-create-user", "arguments": {"user-profile": profile(name)}} for name in self.names]
        if self.kind == "update":
            return {"user-profile": {"username": "kept", "title": self.names[0]}, "allow-enable": False}
        return {"user-profile": profile(self.names[0])}

    def send(self, url):
        """Sends it once; its answer, or None where there is none to keep."""
        headers = {"Idempotency-Key": self.key}
        if self.kind == "deferred":
            headers["Prefer"] = "respond-async"
        try:
            answer = service.request("POST", url + self.path(), self.body(), headers, timeout=20)
        except Exception as broken:
            if not service.is_broken_connection(broken):
                raise
            return None
        # Not answered yet, behind the other updates, stopping, or not ready: it is sent again.
        return None if answer.status in (409, 503) else answer


def profile(name):
    """A person of this name."""
    return {"username": name, "displayname": name, "givenname": name, "surname": name, "email": f"{name}@example.com"}


class World:
    """The directory, the service as it comes and goes, and all that was sent."""

    def __init__(self, binary, seed, folder):
        self.binary = binary
        self.random = random.Random(seed)
        kept = {"id": "u-kept", "userName": "kept", "displayName": "kept", "active": True,
                "name": {"givenName": "kept", "familyName": "kept"}}
        self.directory = service.Directory(binary, {"users": [kept]}, name="keys-sandbox")
        self.environment = self.directory.environment | SETTINGS | {"AWS_ILM_STORE_PATH": f"{folder}/store.db"}
        self.url = "http://127.0.0.1:9"
        self.requests = []
        self.stopping = threading.Event()

    def serve(self):
        """Starts the service."""
        ours = service.Service(self.binary, environment=self.environment, name="keys-aws-ilm")
        self.url = ours.url
        return ours


def send(world, seed):
    """Sends one request after the other until the world stops, each until it is answered."""
    own = random.Random(seed)
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        number = 0
        while not world.stopping.is_set():
            number += 1
            request = Request(own.choice(KINDS), f"p{seed}-{number}")
            world.requests.append(request)
            while not request.answers and not world.stopping.is_set():
                sent = [pool.submit(request.send, world.url) for _ in range(AT_ONCE)]
                request.answers += [answer for answer in (one.result() for one in sent) if answer]
                time.sleep(0.02)


def effects(world):
    """How often each person was created, and each title given, by the requests that the directory answered with success."""
    found = collections.Counter()
    for request in world.directory.take_requests():
        if request["method"] == "GET" or request["status"] is None or request["status"] >= 300:
            continue
        body = request["body"] or {}
        if request["method"] == "POST":
            found[body["userName"]] += 1
        for operation in body.get("Operations", []):
            if operation["path"] == "title":
                found[operation["value"]] += 1
    return found


def drained(url):
    """Waits until no operation is open; how many are when the time is over."""
    deadline = time.monotonic() + 120
    while True:
        open_ones = service.request("GET", f"{url}/operations?limit=500&state=waiting,running").json["operations"]
        if not open_ones or time.monotonic() > deadline:
            return len(open_ones)
        time.sleep(0.2)


def run(checks, world, kills, seed):
    """Everything, from the first start to the last check."""
    threads = [threading.Thread(target=send, args=(world, seed * 1000 + number)) for number in range(SENDERS)]
    for thread in threads:
        thread.start()
    found = collections.Counter()
    try:
        for _ in range(kills):
            ours = world.serve()
            time.sleep(world.random.uniform(*LIFE))
            ours.kill()
            # What was on its way to the directory arrives.
            time.sleep(0.05)
            found += effects(world)
        ours = world.serve()
    finally:
        world.stopping.set()
        for thread in threads:
            thread.join()
    with ours:
        not_repeated = []
        for request in world.requests:
            answered_before = bool(request.answers)
            last = None
            while last is None:
                last = request.send(ours.url)
            request.answers.append(last)
            if answered_before and last.headers.get("Idempotent-Replayed") != "true":
                not_repeated.append((request.key, last))
        checks.equal("nothing is open in the end", drained(ours.url), 0)
        found += effects(world)
        checks.check("it stops by itself when asked to", ours.stop() == 0, ours.tail())
    checks.equal("each answer is marked that was given before", not_repeated[:3], [])
    wrong = [(one.key, one.answers) for one in world.requests
             if len({(answer.status, answer.text) for answer in one.answers}) != 1]
    checks.equal("all answers to a request are the same", wrong[:3], [])
    strange = {answer.status for one in world.requests for answer in one.answers} - {200, 202}
    checks.equal("all were answered with success", strange, set())
    expected = collections.Counter(name for one in world.requests for name in one.names)
    checks.equal("each was done once", dict((found - expected) + (expected - found)), {})
    print(f"      {kills} kills, {len(world.requests)} requests, {sum(len(one.answers) for one in world.requests)} answers, "
          f"{sum(expected.values())} effects")


def main():
    """Runs one form of the suite and returns the exit code."""
    parser = argparse.ArgumentParser(description="Sends each request many times while the service is killed.")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--short", dest="form", action="store_const", const="short", default="short")
    form.add_argument("--full", dest="form", action="store_const", const="full")
    parser.add_argument("--seed", type=int, default=1)
    service.binary_argument(parser)
    options = parser.parse_args()

    kills = FORMS[options.form]
    print(f"seed {options.seed}")
    checks = service.Checks()
    folder = tempfile.mkdtemp(prefix="aws-ilm-keys-")
    try:
        world = World(options.binary, options.seed, folder)
        with world.directory, checks.section("the keys"):
            run(checks, world, kills, options.seed)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
