#!/usr/bin/env python3
"""Kills the service again and again while commands arrive, and holds what it promised against what came of it.

`aws-ilm sandbox` stands for the directory and survives; `aws-ilm serve`, with a store, is killed by SIGKILL at random
times, some of them before it is ready, and started again. Senders post commands about many small families of people:
by userName, by employee id, by directory id; stored ones, ones for later, and ones that are waited for; renames that
hand names on, and disables in the middle of all. An HR system posts signed webhooks about people of its own
(`crash_webhooks.py`). Meanwhile the directory throttles, fails, and loses answers.

In the end the faults stop. From then on only what a caller knows is used: the 202s, `GET /operations`, `GET /events`,
and what the directory has and was sent. `crash_model.py` says what strict order makes of it.

    python3 tests/suites/crash.py [--short | --full] [--seed 1] [--binary target/debug/aws-ilm]
"""

import argparse
import collections
import datetime
import random
import shutil
import sys
import tempfile
import threading
import time

import crash_commands
import crash_model
import crash_weather
import crash_webhooks
import crash_writes
import service
import webhooks

FORMS = {"short": 20, "full": 200}
"""How often the service is killed."""

FAMILIES = 10

SENDERS = 8

PAUSE = 0.08
"""How long a sender waits between two commands, in seconds and on average."""

MOST_OPEN = 80
"""With more operations open than that the senders wait: how far a slow machine falls behind is not what is tested, and
the longer an operation of a later time waits for its try, the less is known of its turn."""

LIFE = (0.05, 4.0)
"""How long the service may live, in seconds from its start or from being ready."""

DRAIN = 180
"""How long the operations that are left may take without faults, in seconds."""

WAITS = ", ".join(["400ms"] * 60)
"""So many tries that none is buried before the weather changes."""

SETTINGS = {
    "AWS_ILM_RETRY_SCHEDULE": WAITS,
    "AWS_ILM_DISABLE_RETRY_SCHEDULE": WAITS,
    "AWS_ILM_COMMAND_TIMEOUT": "4s",
    "AWS_ILM_REQUEST_TIMEOUT": "2s",
    "AWS_ILM_READ_RATE": "2000",
    "AWS_ILM_WRITE_RATE": "2000",
}

TRANSIENT = {"directory_error", "throttled", "unreachable", "congested", "circuit_open", "timeout",
             "connection_broken", "out_of_time", "unreadable", "wrong_url", "broken", "died"}
"""Causes of failures after which it is not known whether something was written."""

OPEN = "scheduled,waiting,running,held,needs_data"


class Told:
    """What one sender was told of one command."""

    def __init__(self, family, route, title, is_deferred, answer, seconds):
        self.family = family
        self.route = route
        self.title = title
        self.is_deferred = is_deferred
        self.answer = answer
        self.seconds = seconds


class World:
    """The families, the directory, the service as it comes and goes, and all that was told."""

    def __init__(self, binary, seed, folder):
        self.binary = binary
        self.random = random.Random(seed)
        self.families = [crash_commands.Family(number) for number in range(FAMILIES)]
        self.hr = crash_webhooks.Hr(folder)
        self.seeded = [user for family in self.families for user in family.users] + self.hr.seeded()
        self.directory = service.Directory(binary, crash_commands.seed(self.seeded), name="crash-sandbox")
        self.environment = (self.directory.environment | SETTINGS | self.hr.source.environment
                            | {"AWS_ILM_STORE_PATH": f"{folder}/store.db"})
        self.url = None
        self.told = []
        self.lives = []
        self.ends = []
        self.stopping = threading.Event()
        self.is_behind = False
        self.panics = 0

    def serve(self, is_awaited=True):
        """Starts the service."""
        ours = service.Service(self.binary, environment=self.environment, name="crash-aws-ilm", is_awaited=is_awaited)
        self.url = ours.url
        return ours

    def bury(self, ours):
        """Keeps what a life of the service has left: what it sent, and whether it panicked."""
        self.ends.append(time.time())
        self.panics += "panicked" in ours.text()
        # What was on its way to the directory arrives.
        time.sleep(0.05)
        self.lives.append(self.directory.take_requests())


def send(world, seed):
    """Posts commands until the world stops."""
    own = random.Random(seed)
    sent = 0
    while not world.stopping.wait(own.expovariate(1 / PAUSE)):
        if world.is_behind:
            continue
        sent += 1
        family = own.choice(world.families)
        title = f"T{seed}-{sent}"
        route, arguments = family.command(own, title)
        is_deferred = own.random() < 0.8
        query = ""
        if is_deferred and own.random() < 0.12:
            later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=own.uniform(0.7, 2))
            query = f"?notBefore={later:%Y-%m-%dT%H:%M:%S.%fZ}"
        headers = {"Prefer": "respond-async"} if is_deferred else {}
        began = time.monotonic()
        try:
            answer = service.request("POST", f"{world.url}/commands/{route}{query}", arguments, headers, timeout=20)
        except Exception as broken:
            if not service.is_broken_connection(broken):
                raise
            answer = None
        world.told.append(Told(family, route, title, is_deferred, answer, time.monotonic() - began))


def watch_backlog(world):
    """Keeps an eye on how many operations are open until the world stops."""
    while not world.stopping.wait(0.3):
        try:
            page = service.request("GET", f"{world.url}/operations?limit={MOST_OPEN}&state={OPEN}", timeout=5)
        except Exception as broken:
            if not service.is_broken_connection(broken):
                raise
            continue
        if page.status == 200:
            world.is_behind = page.json["next"] is not None


def live_and_die(world, kills):
    """Starts the service and kills it, again and again."""
    for _ in range(kills):
        is_awaited = world.random.random() < 0.8
        ours = world.serve(is_awaited)
        time.sleep(world.random.uniform(*LIFE) if is_awaited else world.random.uniform(0.0, 0.6))
        ours.kill()
        world.bury(ours)


def seconds_of(text):
    """A time on the wire, in seconds since 1970; None stays None."""
    return None if text is None else datetime.datetime.fromisoformat(text).timestamp()


def told_of(operation):
    """What a caller knows of how an operation went: see `crash_model.Operation`."""
    causes = [attempt["cause"] for attempt in operation["attempts"]]
    match operation["state"]:
        case "done" | "skipped":
            return operation["state"]
        case "failed" if causes and causes[-1] not in TRANSIENT:
            return "failed"
        case "cancelled" if not any(causes):
            return "nothing"
        case _:
            return "unknown"


def all_operations(url):
    """Every operation with its attempts, the first one that was accepted first."""
    ids, cursor = [], ""
    while True:
        page = service.request("GET", f"{url}/operations?limit=500{cursor}").json
        ids += [operation["id"] for operation in page["operations"]]
        if page["next"] is None:
            return [service.request("GET", f"{url}/operations/{one}").json for one in reversed(ids)]
        cursor = f"&cursor={page['next']}"


def drained(url):
    """Waits until no operation is open; how many are when the time is over."""
    deadline = time.monotonic() + DRAIN
    while True:
        left = service.request("GET", f"{url}/operations?limit=500&state={OPEN}").json["operations"]
        if not left or time.monotonic() > deadline:
            return len(left)
        time.sleep(0.2)


def as_model(number, operation):
    """An operation of the wire as the model reads it."""
    created, not_before = seconds_of(operation["createdAt"]), seconds_of(operation["notBefore"])
    if not_before is not None and not_before <= created:
        not_before = None
    attempts, told = operation["attempts"], told_of(operation)
    begun = seconds_of(attempts[0]["startedAt"]) if attempts else None
    ended = seconds_of(attempts[-1]["endedAt"]) if attempts else None
    command = crash_model.command_of(operation["command"], operation["arguments"])
    shown = None
    if told == "done":
        vendor = operation["envelope"]["IAM"]["Vendor"]
        shown = crash_model.Shown(vendor["id"], vendor["username"], vendor["active"])
    return crash_model.Operation(number, operation["id"], command, told, shown, created, not_before, begun, ended)


def check_promises(checks, world, operations):
    """That each 202 is kept, and that who waited was told the truth."""
    found = {operation["id"]: operation for operation in operations}
    accepted = [told for told in world.told if told.answer and told.answer.status == 202]
    missing = [told.answer.json["id"] for told in accepted if told.answer.json["id"] not in found]
    checks.equal("no 202 is missing", missing, [])
    open_ones = [operation["id"] for operation in operations if operation["state"] in OPEN.split(",")]
    checks.equal("every operation has ended", open_ones, [])
    strange = {told.answer.status for told in world.told if told.answer} - {200, 202, 400, 404, 409, 502, 503, 504}
    checks.equal("no status is answered that has no place here", strange, set())
    by_title = {operation["arguments"]["user-profile"].get("title"): operation for operation in operations}
    lies = []
    for told in world.told:
        if told.is_deferred or told.answer is None or told.route == "iam-disable-user":
            continue
        operation, answer = by_title.get(told.title), told.answer
        if "IAM" not in (answer.json or {}):
            is_kept = operation is None or operation["state"] == "cancelled" and told_of(operation) == "nothing"
        else:
            is_kept = operation is not None and operation["envelope"] == answer.json
        if not is_kept:
            lies.append((told.title, answer, operation))
    checks.equal("whoever waited was told what came of it", lies[:3], [])


def check_order(checks, world, operations):
    """That the directory is what strict order gives, family by family."""
    of_family = collections.defaultdict(list)
    for number, operation in enumerate(operations):
        of_family[crash_commands.family_of(world.families, operation).number].append(as_model(number, operation))
    users = [crash_commands.user_of(resource) for resource in world.directory.users()]
    wrong = 0
    for family in world.families:
        found = family.of(users)
        try:
            possible = crash_model.ends(crash_model.start(family.users), of_family[family.number])
            wanted = {family.of(state.users) for state in possible}
            fault = None if found in wanted else f"found    {found}\npossible {wanted}"
        except crash_model.Contradiction as contradiction:
            fault = str(contradiction)
        if fault is not None:
            wrong += 1
            checks.check(f"family {family.number} went in strict order", False,
                         f"{fault}\n{history(of_family[family.number])}")
    checks.equal("families that did not go in strict order", wrong, 0)


def history(operations):
    """The operations of a family, one a line."""
    return "\n".join(f"{one.number} {one.id} {one.told} {one.command}"
                     + (f" due {one.not_before - one.created:.1f} s later" if one.not_before else "")
                     for one in operations)


def percentile(values, share):
    """The value that this share of them does not exceed, in milliseconds."""
    return f"{sorted(values)[min(len(values) - 1, int(len(values) * share))] * 1000:.1f} ms" if values else "-"


def summary(world, kills, operations):
    """The table of what happened."""
    states = collections.Counter(operation["state"] for operation in operations)
    attempts = [attempt for operation in operations for attempt in operation["attempts"]]
    waits = [told.seconds for told in world.told if told.answer and told.answer.status == 202]
    rows = [("kills", kills), ("commands sent", len(world.told)),
            ("without an answer", sum(told.answer is None for told in world.told)),
            ("accepted (202)", len(waits)), ("events of webhooks", len(world.hr.deliveries())),
            *((f"  {name}", count) for name, count in sorted(world.hr.sent.items())), ("operations", len(operations)),
            *((f"  {state}", count) for state, count in sorted(states.items())),
            ("of a later time", sum(operation["notBefore"] is not None for operation in operations)),
            ("left enabling out", sum(operation["overtakenBy"] is not None for operation in operations)),
            ("attempts", len(attempts)), ("  died", sum(attempt["cause"] == "died" for attempt in attempts)),
            ("  failed", sum(attempt["cause"] not in (None, "died") for attempt in attempts)),
            ("requests to the directory", sum(len(life) for life in world.lives)),
            ("202: p50", percentile(waits, 0.5)), ("202: p99", percentile(waits, 0.99)),
            ("202 of a webhook: p50", percentile(world.hr.waits, 0.5)),
            ("202 of a webhook: p99", percentile(world.hr.waits, 0.99))]
    for name, value in rows:
        print(f"      {name:<28}{value}")


def introduce(world):
    """Names everybody by all that they have, once: keys of one person that nothing has joined yet promise no order."""
    with world.serve() as ours:
        for user in (user for family in world.families for user in family.users):
            profile = {"id": user.id, "username": user.name, "displayname": "Same Everybody", "givenname": "Same",
                       "surname": "Everybody", "title": user.title}
            if user.employee:
                profile["employeeid"] = user.employee
            arguments = {"user-profile": profile, "allow-enable": False}
            answer = service.request("POST", f"{ours.url}/commands/iam-update-user", arguments)
            if answer.status != 200:
                raise RuntimeError(f"{user.name} could not be introduced: {answer}")
        ours.kill()
    world.bury(ours)


def run(checks, world, kills, seed):
    """Everything, from the first start to the last check."""
    introduce(world)
    threads = [threading.Thread(target=send, args=(world, seed * 1000 + number)) for number in range(SENDERS)]
    threads += world.hr.threads(world, seed)
    threads += [threading.Thread(target=watch, args=(world,)) for watch in (crash_weather.change, watch_backlog)]
    world.url = "http://127.0.0.1:9"
    for thread in threads:
        thread.start()
    try:
        live_and_die(world, kills)
        ours = world.serve()
    finally:
        world.stopping.set()
        for thread in threads:
            thread.join()
    with ours:
        world.directory.script([])
        world.hr.repeat_all(world)
        left = drained(ours.url)
        checks.equal("nothing is open when the directory is well again", left, 0)
        of_hr, operations = [], []
        for operation in all_operations(ours.url):
            (of_hr if operation["source"] == webhooks.NAME else operations).append(operation)
        events = webhooks.events(ours.url)
        checks.check("it stops by itself when asked to", ours.stop() == 0, ours.tail())
        world.bury(ours)
    checks.equal("it has not panicked", world.panics, 0)
    with checks.section("the promises"):
        check_promises(checks, world, operations)
    with checks.section("the order"):
        check_order(checks, world, operations)
    with checks.section("the writes"):
        crash_writes.check(checks, world, operations, of_hr)
    with checks.section("the webhooks"):
        crash_webhooks.check(checks, world, of_hr, events)
    summary(world, kills, operations + of_hr)


def main():
    """Runs one form of the suite and returns the exit code."""
    parser = argparse.ArgumentParser(description="Kills the service while commands arrive.")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--short", dest="form", action="store_const", const="short", default="short")
    form.add_argument("--full", dest="form", action="store_const", const="full")
    parser.add_argument("--kills", type=int, help="how often it is killed, instead of the form's number")
    parser.add_argument("--seed", type=int, default=1)
    service.binary_argument(parser)
    options = parser.parse_args()

    kills = options.kills or FORMS[options.form]
    print(f"seed {options.seed}")
    checks = service.Checks()
    folder = tempfile.mkdtemp(prefix="aws-ilm-crash-")
    try:
        world = World(options.binary, options.seed, folder)
        with world.directory, checks.section("the crashes"):
            run(checks, world, kills, options.seed)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
