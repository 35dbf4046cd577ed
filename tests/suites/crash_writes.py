"""What the crash suite reads from the writes that the directory was sent: how many changed something for each
operation, and whether somebody was enabled by what is older than their last disable.

The writes are carried out once more, in the order in which they came. A title is one command's alone, so that it tells
whose write it is; a disable's says nothing, and is told by whom it disabled and when.
"""

import bisect
import collections
import datetime

import crash_commands
import crash_webhooks

DONE_IN_SECRET = (None, 504)
"""Statuses of writes that may have been carried out: the answer got lost, or came to be a failure afterwards."""


class Effect:
    """A write that changed somebody."""

    def __init__(self, life, user, title, before, after):
        self.life = life
        self.user = user
        self.family = crash_commands.family_name(after.name)
        self.title = title
        self.enables = after.active and not (before and before.active)
        self.disables = bool(before and before.active) and not after.active


class Replay:
    """A directory that carries the writes out once more. A user that was created has a made-up id until all is over."""

    def __init__(self, world):
        self.users = {user.id: user for user in world.seeded}
        self.effects = []
        # In the order of their creation; who is asked about by an id that is not known yet is found through them.
        self.created = {}
        seeded = set(self.users)
        for resource in world.directory.users():
            user = crash_commands.user_of(resource)
            if user.id not in seeded:
                family = crash_commands.family_name(user.name)
                self.created.setdefault(family, collections.deque()).append(user.id)

    def write(self, life, request):
        """Carries one recorded request out, where the directory did."""
        body, status = request["body"], request["status"]
        is_write = request["api"] in ("CreateUser", "PatchUser") and body is not None
        if not is_write or not (status in DONE_IN_SECRET or 200 <= status < 300):
            return
        if request["api"] == "CreateUser":
            after = crash_commands.user_of(body)
            if self.is_free(None, after):
                after = after._replace(id=self.created[crash_commands.family_name(after.name)].popleft())
                self.keep(life, None, after)
            return
        before = self.users.get(request["path"].rsplit("/", 1)[1])
        if before is None:
            raise ValueError(f"a write to nobody: {request}")
        values = {operation["path"]: operation["value"] for operation in body["Operations"]}
        names = {"userName": "name", "externalId": "employee", "title": "title", "active": "active"}
        after = before._replace(**{names[path]: value for path, value in values.items()})
        if after != before and self.is_free(before.id, after):
            self.keep(life, before, after)

    def is_free(self, own, wanted):
        """Whether no other user has the userName or the employee id that is wanted."""
        others = [user for user in self.users.values() if user.id != own]
        return not any(user.name == wanted.name or wanted.employee and user.employee == wanted.employee
                       for user in others)

    def keep(self, life, before, after):
        """Keeps a user as it is now, and what changed it."""
        self.users[after.id] = after
        title = after.title if before is None or after.title != before.title else None
        self.effects.append(Effect(life, after.id, title, before, after))


def check(checks, world, operations, of_hr):
    """Replays all writes and checks what they show. `of_hr` are the operations of webhooks, `operations` all others."""
    replay = Replay(world)
    for life, requests in enumerate(world.lives):
        for request in requests:
            replay.write(life, request)
    found = sorted(map(crash_commands.user_of, world.directory.users()))
    if not checks.equal("the writes make the directory what it is", sorted(replay.users.values()), found):
        return
    counts = collections.Counter(effect.title for effect in replay.effects if effect.title is not None)
    twice = sorted(title for title, count in counts.items() if count > 1)
    checks.equal("no operation has changed something twice", twice, [])
    # What changes somebody without a title is a disable, or an update whose title was written before.
    halves = [effect.user for effect in replay.effects if effect.title is None and not effect.disables]
    checks.equal("no operation has changed something in two halves", halves, [])
    ours = [effect for effect in replay.effects if not crash_webhooks.is_ours(effect.family)]
    theirs = [effect for effect in replay.effects if crash_webhooks.is_ours(effect.family)]
    check_leavers(checks, world, ours, operations)
    crash_webhooks.check_leavers(checks, world, theirs, of_hr)


def check_leavers(checks, world, effects, operations):
    """That nobody was enabled by an operation that is older than a disable that was carried out before."""
    numbers = {operation["arguments"]["user-profile"].get("title"): number
               for number, operation in enumerate(operations)}
    tries = tries_of_disables(world, operations)
    wrong = []
    newest = {}
    for effect in effects:
        if effect.disables:
            possible = tries[effect.life, effect.family]
            if not possible:
                wrong.append(f"{effect.user} was disabled by nothing")
            elif not any(has_died for _, has_died in possible):
                # The oldest that it may be: what is certain is that none older than that has disabled them.
                newest[effect.user] = max(newest.get(effect.user, -1), min(number for number, _ in possible))
            # Else what disabled them may have died before the service knew.
        if effect.enables and numbers[effect.title] < newest.get(effect.user, -1):
            wrong.append(f"{numbers[effect.title]} {operations[numbers[effect.title]]['id']} has enabled {effect.user}, "
                         f"whom {newest[effect.user]} or a newer one had disabled")
    checks.equal("what is older than a disable that was carried out enables nobody", wrong, [])


def tries_of_disables(world, operations):
    """For each life of the service and each family: the numbers of the disables that were tried in that life, and
    whether that try died."""
    tries = collections.defaultdict(list)
    for number, operation in enumerate(operations):
        if operation["command"] != "iam-disable-user":
            continue
        family = f"f{crash_commands.family_of(world.families, operation).number}"
        for attempt in operation["attempts"]:
            begun = datetime.datetime.fromisoformat(attempt["startedAt"]).timestamp()
            tries[bisect.bisect(world.ends, begun), family].append((number, attempt["cause"] == "died"))
    return tries
