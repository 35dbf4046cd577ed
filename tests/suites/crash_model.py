"""What strict order makes of a directory: a slow reading of whom a command means and what it does, and of all the
ways in which a list of operations may have gone.

It knows nothing of the service but its contract, and reads only as much of that as the suite's commands need: people
have a userName, perhaps an employee id, a title and `active`; everybody has the same given and family name, so that
nobody is a stranger; profiles have a new employee id or none, and no e-mail. A caller can't know everything: an answer
may have been lost for good, and when exactly an operation of a later time came to its turn is not shown. So the
reading keeps *every* state that fits what was told, and the directory has to be one of them.
"""

import collections

User = collections.namedtuple("User", "id name employee active title")
"""One person. `id` is the directory's where the suite has seeded it, else None."""

State = collections.namedtuple("State", "users disabled")
"""The people in the order of their creation, and for each the number of the newest operation that has disabled them
(-1: none)."""

Command = collections.namedtuple("Command", "kind id old name employee enable title")
"""What a command says. `kind` is `create`, `update` or `disable`; what it does not say is None."""

Operation = collections.namedtuple("Operation", "number id command told shown created not_before begun ended")
"""An operation as a caller sees it at the end: `number` is its place among the accepted, `told` one of `done`, `skipped`,
`failed`, `unknown` and `nothing`; `shown` is the `Shown` of its answer, or None; `created`, `not_before` (None: at
once), `begun` and `ended` are seconds since 1970."""

Shown = collections.namedtuple("Shown", "id name active")
"""The user in an answer."""

SLACK = 0.5
"""How exact times are taken to be, in seconds: an operation is stored a little after its time was read."""

MOST_STATES = 20_000
"""With more than that a reading says nothing any more."""


class Contradiction(Exception):
    """What was told can't have happened in strict order."""


def start(users):
    """The state of a directory that holds these people."""
    return State(tuple(users), (-1,) * len(users))


def command_of(name, arguments):
    """The `Command` that these arguments of a route are."""
    profile = arguments["user-profile"]
    kind = {"iam-create-user": "create", "iam-update-user": "update", "iam-disable-user": "disable"}[name]
    return Command(kind, profile.get("id"), (profile.get("olduserdata") or {}).get("username"), profile.get("username"),
                   profile.get("employeeid"), arguments.get("allow-enable") is True, profile.get("title"))


def place(users, field, value):
    """The place of the user of whom `field` has this value; None for nobody, and for no value."""
    if value is None:
        return None
    return next((index for index, user in enumerate(users) if getattr(user, field) == value), None)


def whom(users, command):
    """Whom a command means: a place among the users, None for nobody, or `refused`."""
    keys = ("id", "old", "name", "employee") if command.kind == "update" else ("id", "name", "employee")
    for key in keys:
        found = place(users, "name" if key == "old" else key, getattr(command, key))
        if found is None:
            continue
        wanted, has = command.employee, users[found].employee
        if key in ("id", "employee") or wanted is None or has is None or wanted == has:
            return found
        # The name belongs to somebody with another employee id. Whose is the one that is wanted?
        other = place(users, "employee", wanted)
        if other is None:
            return "refused"
        if command.kind == "disable" or users[other].name == command.name:
            return other
        return "refused"
    return None


def carry_out(state, operation):
    """Carries an operation out: the state after it, what its caller is told, and the place of whom it changed."""
    users, command = state.users, operation.command
    found = whom(users, command)
    if found == "refused":
        return state, "failed", None
    if command.kind == "disable":
        if found is None:
            return state, "skipped", None
        disabled = replaced(state.disabled, found, max(state.disabled[found], operation.number))
        told = "done" if users[found].active else "skipped"
        return State(replaced(users, found, users[found]._replace(active=False)), disabled), told, found
    if found is None:
        return create(state, command)
    user = users[found]
    if command.name is not None and command.name != user.name:
        if place(users, "name", command.name) is not None:
            return state, "failed", None
        user = user._replace(name=command.name)
    if command.employee is not None and user.employee is None:
        if place(users, "employee", command.employee) is not None:
            return state, "failed", None
        user = user._replace(employee=command.employee)
    # What has disabled somebody and was accepted later is not undone by what was accepted earlier.
    may_enable = command.enable and state.disabled[found] < operation.number
    user = user._replace(title=command.title, active=user.active or may_enable)
    return State(replaced(users, found, user), state.disabled), "done", found


def create(state, command):
    """Makes a new user, where the command names one."""
    if command.name is None or place(state.users, "employee", command.employee) is not None:
        return state, "failed", None
    user = User(None, command.name, command.employee, command.enable, command.title)
    return State(state.users + (user,), state.disabled + (-1,)), "done", len(state.users)


def replaced(values, index, value):
    """These values with another one in one place."""
    return values[:index] + (value,) + values[index + 1:]


def after(state, operation, early):
    """Every state that may be after an operation, by what was told of it. `early` are disables that may have disabled
    somebody before their turn."""
    if operation.told == "nothing":
        return {state}
    ended, told, found = carry_out(state, operation)
    if operation.told == "unknown":
        # It may have been carried out without its being known.
        return {state, ended, State(ended.users, state.disabled + (-1,) * (len(ended.users) - len(state.users)))}
    # A disable that overtook has found the person as they were then.
    is_same = told == operation.told or operation.command.kind == "disable" and {told, operation.told} == {"done", "skipped"}
    if not is_same:
        return set()
    if operation.shown is None or found is None:
        return {ended}
    user, shown = ended.users[found], operation.shown
    is_active = shown.active == user.active or user.active and may_be_early(operation, early)
    if not is_active or shown.name != user.name or user.id not in (None, shown.id):
        return set()
    return {State(replaced(ended.users, found, user._replace(id=shown.id)), ended.disabled)}


def may_be_early(operation, early):
    """Whether a disable may have run before an operation ended that comes before it in strict order: one that overtook
    and had its own turn still to come, or one accepted later by another key of the person, which nothing had joined to
    the operation's yet."""
    def comes_later(disable):
        return disable.number > operation.number or disable.ended >= operation.ended - 0.01
    return any(disable.begun <= operation.ended + 0.01 and comes_later(disable) for disable in early)


def ends(state, operations):
    """Every state that may be in the end, when these operations, in the order in which they were accepted, were
    carried out strictly one after the other; one of a later time when that had come.

    Raises `Contradiction` where there is none."""
    early = [operation for operation in operations
             if operation.command.kind == "disable" and operation.begun is not None and operation.ended is not None]
    later = {operation.number: operation for operation in operations if operation.not_before is not None}
    open_ones = {(state, frozenset())}
    for operation in operations:
        if operation.told == "nothing":
            continue
        due = {number for number, other in later.items() if other.not_before <= operation.created + SLACK}
        late = {number for number, other in later.items()
                if other.begun is not None and other.begun + SLACK < operation.created}
        open_ones = {one for one in let_due(open_ones, due, later, early) if not one[1] & late}
        if operation.number in later:
            open_ones = {(state, waiting | {operation.number}) for state, waiting in open_ones}
        else:
            open_ones = {(next_state, waiting) for state, waiting in open_ones for next_state in after(state, operation, early)}
        bounded(open_ones, operation)
    open_ones = let_due(open_ones, set(later), later, early)
    finished = {state for state, waiting in open_ones if not waiting}
    if not finished:
        raise Contradiction("nothing fits what was told of the operations of a later time")
    return finished


def let_due(open_ones, due, later, early):
    """What may be when any of the operations that are due take their turn, in any order, or none yet."""
    seen, left = set(open_ones), list(open_ones)
    while left:
        state, waiting = left.pop()
        for number in waiting & due:
            for next_state in after(state, later[number], early):
                one = (next_state, waiting - {number})
                if one not in seen:
                    seen.add(one)
                    left.append(one)
        if len(seen) > MOST_STATES:
            raise Contradiction(f"more than {MOST_STATES} states are possible: the suite asks too much at once")
    return seen


def bounded(open_ones, operation):
    """Raises where nothing is possible after an operation, or too much."""
    if not open_ones:
        raise Contradiction(f"in no order can {operation.id} ({operation.command}) have come to {operation.told!r}")
    if len(open_ones) > MOST_STATES:
        raise Contradiction(f"more than {MOST_STATES} states are possible: the suite asks too much at once")
