"""What is answered to a signed webhook while the store can't be written: never a success. The same delivery is taken once
it can be, and nothing of it was half there before."""

import concurrent.futures
import datetime
import pathlib
import sqlite3
import time

import service
import webhooks
from durable_disk import fill, small_disk, store_status, until

AT_ONCE = 16

STARTED = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
"""The time of all events: of a delivery that comes again each byte has to be the same."""

REFUSED = (503, "/problems/store-unavailable")


def hire(number):
    """The event of somebody new; long, so that a full disk has no room for it."""
    data = {"login": f"hired.{number}", "employeeId": f"H{number}", "firstName": "A", "lastName": "Person",
            "jobTitle": "x" * 1000}
    return {"type": "employee.hired", "timestamp": STARTED, "data": data}


class Sender:
    """Sends events of this source, and knows which were accepted."""

    def __init__(self, source, url):
        self.source = source
        self.url = url
        self.accepted = {}

    def send(self, number):
        """Sends one event; its answer."""
        answer = self.source.post(self.url, f"msg_{number}", hire(number))
        if 200 <= answer.status < 300:
            self.accepted[f"msg_{number}"] = answer.json["events"]
        return answer

    def until_refused(self, most):
        """Sends new events until one is refused; its number and answer."""
        for number in range(1, most):
            answer = self.send(number)
            if answer.status != 202:
                return number, answer
        raise RuntimeError(f"{most} webhooks found room on a full disk")

    def check_kept(self, checks, when):
        """That there is what was accepted and nothing else, neither an event nor an operation."""
        found, operations = {}, []
        for event in webhooks.events(self.url):
            found.setdefault(event["headers"]["webhook-id"], []).append(event["event"]["id"])
            operations += event["event"]["operations"]
        checks.equal(f"{when} there are the events that were answered 202, once each", found, self.accepted)
        listed = service.request("GET", f"{self.url}/operations?limit=500").json["operations"]
        checks.equal(f"{when} each has its operation, and there is no other", sorted(operations),
                     sorted(one["id"] for one in listed))
        checks.equal(f"{when} it is one operation each", len(operations), len(self.accepted))


def told(answer):
    """The status of an answer and the problem that it names."""
    return answer.status, (answer.json or {}).get("type")


def carried_out(checks, sender, directory):
    """That in the end each accepted event was carried out once."""
    def states():
        return {one["state"] for one in service.request("GET", f"{sender.url}/operations?limit=500").json["operations"]}
    checks.check("each is carried out", until(lambda: states() == {"done"}), states())
    names = sorted(user["userName"] for user in directory.users() if user["userName"].startswith("hired."))
    expected = sorted(identity.replace("msg_", "hired.") for identity in sender.accepted)
    checks.equal("and makes one user", names, expected)


def check_full(checks, binary):
    """What a full disk makes of webhooks; whether it could be tried."""
    with service.Directory(binary, {"users": [], "groups": []}, name="durable-hr-sandbox") as directory, \
            small_disk() as folder:
        if folder is None:
            return False
        source = webhooks.Source(folder)
        environment = directory.environment | source.environment | {"AWS_ILM_STORE_PATH": f"{folder}/store.db"}
        with service.Service(binary, environment=environment, name="durable-hr") as ours:
            sender = Sender(source, ours.url)
            checks.equal("there is room for a webhook", sender.send(0).status, 202)
            fill(folder)
            number, refused = sender.until_refused(3000)
            checks.equal("once the disk is full a webhook is refused", told(refused), REFUSED)
            checks.check("and told when to come again", refused.headers.get("Retry-After"), dict(refused.headers))
            print(f"      {len(sender.accepted)} were accepted before that")
            with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
                again = [told(answer) for answer in pool.map(sender.send, [number + one % 4 for one in range(AT_ONCE)])]
            checks.equal("so are those that come at once, the same one among them", set(again), {REFUSED})
            sender.check_kept(checks, "while the disk is full")
            ours.kill()
        with service.Service(binary, environment=environment, name="durable-hr") as ours:
            sender.url = ours.url
            sender.check_kept(checks, "after a crash on a full disk")
            (folder / "filling").unlink()
            for one in range(number, number + 4):
                checks.check(f"once there is room webhook {one - number + 1} of those refused is taken",
                             until(lambda: sender.send(one).status == 202), store_status(ours))
            sender.check_kept(checks, "afterwards")
            carried_out(checks, sender, directory)
            checks.check("it has not panicked", "panicked" not in ours.text(), ours.tail())
        return True


def check_locked(checks, binary, folder):
    """What a store that another program has locked makes of webhooks."""
    source = webhooks.Source(folder)
    file = pathlib.Path(folder) / "store.db"
    with service.Directory(binary, {"users": [], "groups": []}, name="durable-hr-sandbox") as directory:
        environment = directory.environment | source.environment | {"AWS_ILM_STORE_PATH": str(file)}
        with service.Service(binary, environment=environment, name="durable-hr-locked") as ours:
            sender = Sender(source, ours.url)
            checks.equal("a webhook is taken before the store is locked", sender.send(0).status, 202)
            other = sqlite3.connect(file, timeout=10, isolation_level=None)
            try:
                other.execute("BEGIN IMMEDIATE")
                began = time.monotonic()
                with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
                    answers = [told(answer) for answer in pool.map(sender.send, [1, 2] * (AT_ONCE // 2))]
                print(f"      refused after {time.monotonic() - began:.1f} s")
                checks.equal("while another program has the store locked webhooks are refused", set(answers), {REFUSED})
                sender.check_kept(checks, "while it is locked")
                other.execute("ROLLBACK")
            finally:
                other.close()
            for number in (1, 2):
                checks.check(f"once it is free webhook {number} is taken", until(lambda: sender.send(number).status == 202),
                             store_status(ours))
            sender.check_kept(checks, "after the lock")
            carried_out(checks, sender, directory)
            checks.check("it has not panicked", "panicked" not in ours.text(), ours.tail())
