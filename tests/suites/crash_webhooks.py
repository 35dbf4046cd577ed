"""The HR system of the crash suite: signed webhooks about people of its own, sent until they are answered, and what has
to be true of them in the end.

Its senders know nothing but the answers. Each sends the events of a person one after the other, the next only when the
one before was answered with 2xx; it sends again under the same id whatever got lost, hangs up on answers that it does
not wait for, and repeats itself at random, two at once or long afterwards.
"""

import bisect
import collections
import datetime
import json
import random
import threading
import time

import crash_commands
import crash_model
import service
import webhooks

PEOPLE = 24

SENDERS = 4

PAUSE = 0.12
"""How long a sender waits between two events, in seconds and on average."""

LAST_TRIES = 20
"""How long an unanswered delivery is still sent when the suite stops, in seconds."""

AGAIN = {202, 503}
"""What a delivery that is proven may be answered: it is stored, or to be sent again."""


class Person:
    """Somebody of whom the HR system tells: who they are, and what the accepted events have said of them, in order."""

    def __init__(self, number):
        self.name = f"w{number}"
        self.employee = f"W{number}"
        self.user = None
        if number % 2 == 0:
            self.user = crash_model.User(f"hr-{number}", self.name, self.employee, True, "Seeded")
        self.deliveries = []
        self.clock = datetime.datetime.now(datetime.UTC)

    def event(self, own, title):
        """The next event: a type, and a body whose time is later than that of any before."""
        self.clock = max(datetime.datetime.now(datetime.UTC), self.clock + datetime.timedelta(milliseconds=2))
        is_there = self.user or self.deliveries
        kinds = ["hired", "updated", "updated", "reinstated", "terminated", "terminated"] if is_there else ["hired"]
        kind = own.choice(kinds)
        data = {"employeeId": self.employee}
        if kind != "terminated":
            data |= {"login": self.name, "firstName": "Same", "lastName": "Everybody", "jobTitle": title}
        stamp = self.clock.isoformat(timespec="milliseconds")
        return kind, {"type": f"employee.{kind}", "timestamp": stamp, "data": data}

    def expected(self):
        """What the directory has to have of them: userName, employee id, active and title; None for nobody."""
        if not self.user and not self.deliveries:
            return None
        is_active, title = self.user is not None, "Seeded"
        for delivery in self.deliveries:
            is_active = {"hired": True, "reinstated": True, "terminated": False}.get(delivery.kind, is_active)
            title = delivery.body["data"].get("jobTitle", title)
        return self.name, self.employee, is_active, title


class Delivery:
    """One event as it is sent, and every answer to it."""

    def __init__(self, identity, kind, body):
        self.identity = identity
        self.kind = kind
        self.body = body
        self.answers = []

    def accepted(self):
        """The answers that say that it is stored."""
        return [answer for answer in self.answers if 200 <= answer.status < 300]


class Hr:
    """The HR system: its source, its people, and how often it sent anything."""

    def __init__(self, folder):
        self.source = webhooks.Source(folder)
        self.people = [Person(number) for number in range(PEOPLE)]
        self.sent = collections.Counter()
        self.waits = []

    def seeded(self):
        """Those whom the directory has from the beginning."""
        return [person.user for person in self.people if person.user is not None]

    def threads(self, world, seed):
        """The senders, each with people of its own."""
        return [threading.Thread(target=self.send, args=(world, f"{seed}-{number}", self.people[number::SENDERS]))
                for number in range(SENDERS)]

    def send(self, world, seed, people):
        """Sends the events of these people until the world stops."""
        own = random.Random(f"hr-{seed}")
        past = []
        while not world.stopping.wait(own.expovariate(1 / PAUSE)):
            if world.is_behind:
                continue
            person = own.choice(people)
            identity = f"msg_{seed}_{len(past)}"
            delivery = Delivery(identity, *person.event(own, f"W{seed}-{len(past)}"))
            person.deliveries.append(delivery)
            past.append(delivery)
            if not self.until_accepted(world, own, delivery):
                return
            if own.random() < 0.15:
                self.try_once(world, own.choice(past))

    def until_accepted(self, world, own, delivery):
        """Sends a delivery again and again; whether it was accepted."""
        deadline = None
        while True:
            draw = own.random()
            if draw < 0.1:
                twin = threading.Thread(target=self.try_once, args=(world, delivery))
                twin.start()
                self.try_once(world, delivery)
                twin.join()
            else:
                # One in ten does not wait for the answer, and sends again what may have arrived.
                self.try_once(world, delivery, 0.003 if draw < 0.2 else 10)
            if delivery.accepted():
                return True
            if deadline is None and world.stopping.is_set():
                deadline = time.monotonic() + LAST_TRIES
            if deadline is not None and time.monotonic() > deadline:
                return False
            time.sleep(own.uniform(0.0, 0.2))

    def try_once(self, world, delivery, timeout=10):
        """Sends a delivery once and keeps what was answered, if anything was."""
        self.sent["webhooks"] += 1
        began = time.monotonic()
        try:
            answer = self.source.post(world.url, delivery.identity, delivery.body, timeout)
        except Exception as broken:
            if not service.is_broken_connection(broken):
                raise
            self.sent["without an answer"] += 1
            return
        delivery.answers.append(answer)
        if answer.status == 202:
            self.waits.append(time.monotonic() - began)

    def deliveries(self):
        """All that was sent."""
        return [delivery for person in self.people for delivery in person.deliveries]

    def repeat_all(self, world):
        """Sends everything once more: what is known must make nothing new, whenever it was that it came."""
        for delivery in self.deliveries():
            self.try_once(world, delivery)


def is_ours(name):
    """Whether a userName is one of the HR system's people."""
    return name.startswith("w")


def check(checks, world, operations, events):
    """Everything about webhooks. `operations` are those of the source, `events` all of its events."""
    check_events(checks, world.hr, operations, events)
    check_people(checks, world.hr, [crash_commands.user_of(resource) for resource in world.directory.users()])


def check_events(checks, hr, operations, events):
    """That each delivery is one event with one operation that came to its end, whatever became of its answers."""
    deliveries = hr.deliveries()
    strange = {answer.status for delivery in deliveries for answer in delivery.answers} - AGAIN
    checks.equal("no signed webhook is answered but with 202 or 503", strange, set())
    checks.equal("every delivery was accepted in the end",
                 [delivery.identity for delivery in deliveries if not delivery.accepted()], [])
    found = collections.defaultdict(list)
    for event in events:
        found[event["headers"]["webhook-id"]].append(event)
    missing = [one.identity for one in deliveries if one.accepted() and one.identity not in found]
    checks.equal("no webhook that was answered 2xx is missing", missing, [])
    twice = [identity for identity, some in found.items() if len(some) > 1]
    checks.equal("no delivery has become two events", twice, [])
    checks.equal("there is no event that was not sent", set(found) - {one.identity for one in deliveries}, set())
    lies, changed, undone = [], [], []
    by_id = {operation["id"]: operation for operation in operations}
    for delivery in deliveries:
        for event in found[delivery.identity]:
            told = {tuple(answer.json["events"]) for answer in delivery.accepted()}
            if told - {(event["event"]["id"],)}:
                lies.append((delivery.identity, told, event["event"]["id"]))
            if event["body"] != json.dumps(delivery.body) or event["event"]["verdict"] != "accepted":
                changed.append((delivery.identity, event["event"], event["body"]))
            ended = [by_id.get(one, {}).get("state") for one in event["event"]["operations"]]
            if len(ended) != 1 or ended[0] not in ("done", "skipped", "superseded"):
                undone.append((delivery.identity, ended, event["operations"]))
    checks.equal("each answer names the one event that its delivery is", lies[:3], [])
    checks.equal("each event is accepted, and as it was sent", changed[:3], [])
    checks.equal("each event has one operation, which was carried out or not needed", undone[:3], [])
    named = [one for event in events for one in event["event"]["operations"]]
    checks.equal("each operation of the source belongs to one event", sorted(named), sorted(by_id))
    place = {event["headers"]["webhook-id"]: number for number, event in enumerate(events)}
    shuffled = [person.name for person in hr.people if not is_rising([place.get(one.identity, -1) for one in person.deliveries])]
    checks.equal("what was sent after an answer comes after what was answered", shuffled, [])
    place = {one: number for number, one in enumerate(named)}
    checks.check("operations are in the order of their events",
                 is_rising([place.get(operation["id"], -1) for operation in operations]))


def is_rising(numbers):
    """Whether each number is larger than the one before."""
    return all(one < other for one, other in zip(numbers, numbers[1:]))


def check_people(checks, hr, users):
    """That the directory has of each person what the accepted events say, in the order in which they were accepted."""
    found = collections.defaultdict(list)
    for user in users:
        if is_ours(user.name):
            found[user.name].append((user.name, user.employee, user.active, user.title))
    wrong = []
    for person in hr.people:
        expected = person.expected()
        if found.pop(person.name, []) != ([] if expected is None else [expected]):
            said = [(delivery.identity, delivery.kind) for delivery in person.deliveries[-8:]]
            wrong.append(f"{person.name} is to be {expected} after {said}: {users_named(users, person.name)}")
    checks.check("each person is what the accepted events say in their order", not wrong, "\n".join(wrong[:5]))
    checks.equal("there are no other people of the HR system", dict(found), {})


def users_named(users, name):
    """The users of this userName, for a message."""
    return [user for user in users if user.name == name]


def check_leavers(checks, world, effects, operations):
    """That no write has enabled somebody after a disable was carried out that was accepted later than what enabled, and
    that each disabling belongs to a disable that was accepted after what had enabled before."""
    numbers = {operation["arguments"]["user-profile"].get("title"): number
               for number, operation in enumerate(operations)}
    tries = tries_of_disables(world, operations)
    wrong, enabled, disabled = [], {}, {}
    for effect in effects:
        if effect.enables:
            number = numbers[effect.title]
            if number < disabled.get(effect.user, -1):
                wrong.append(f"{effect.title} has enabled {effect.user}, whom {disabled[effect.user]} or a newer one had "
                             "disabled")
            enabled[effect.user] = number
        if effect.disables:
            possible = [one for one in tries[effect.life, effect.family] if one[0] > enabled.get(effect.user, -1)]
            if not possible:
                wrong.append(f"{effect.user} was disabled by nothing that is newer than {enabled.get(effect.user)}")
            elif not any(has_died for _, has_died in possible):
                # Else what disabled them may have died before the service knew.
                disabled[effect.user] = max(disabled.get(effect.user, -1), min(number for number, _ in possible))
    checks.equal("what HR said before a termination that was carried out enables nobody", wrong[:5], [])
    enables = sum(effect.enables for effect in effects)
    checks.check("people were enabled and disabled at all", enables and any(effect.disables for effect in effects))


def tries_of_disables(world, operations):
    """For each life of the service and each person: the numbers of the disables that were tried then, and whether that
    try died."""
    tries = collections.defaultdict(list)
    for number, operation in enumerate(operations):
        if operation["command"] != "iam-disable-user":
            continue
        name = operation["arguments"]["user-profile"]["employeeid"].lower()
        for attempt in operation["attempts"]:
            begun = datetime.datetime.fromisoformat(attempt["startedAt"]).timestamp()
            tries[bisect.bisect(world.ends, begun), name].append((number, attempt["cause"] == "died"))
    return tries
