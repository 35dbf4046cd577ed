"""An incident's context: entries are put into it by keys such as `IAM.Vendor(val.id && val.id == obj.id)`,
and playbooks ask it by paths such as `IAM.Vendor(val.success==false).errorMessage`. As much of XSOAR's DT as
that takes."""

import re

_OPERAND = r"(?:val|obj)\.[A-Za-z.]+|true|false|null|\d+|'[^']*'|\"[^\"]*\""
_TERM = re.compile(rf"\s*({_OPERAND})\s*(?:(==|!=)\s*({_OPERAND})\s*)?$")
_STEP = re.compile(r"([A-Za-z]+)(?:\(([^()]*)\))?(?:\.|$)")


class Context:
    """The context of one incident."""

    def __init__(self):
        self.values = {}

    def put(self, entry_context):
        """Takes in what an entry has for the context: by its condition it replaces what is there, or stands
        beside."""
        for key, value in (entry_context or {}).items():
            path, _, condition = key.rstrip(")").partition("(")
            *parents, last = path.split(".")
            place = self.values
            for parent in parents:
                place = place.setdefault(parent, {})
            there = _as_list(place.get(last))
            for new in _as_list(value):
                same = [index for index, old in enumerate(there) if condition and holds(condition, old, new)]
                for index in same:
                    there[index] = {**there[index], **new}
                if not same:
                    there.append(new)
            place[last] = there[0] if len(there) == 1 else there

    def get(self, path):
        """What a path leads to, in a list; one that leads nowhere gives an empty one."""
        found = [self.values]
        at = 0
        while at < len(path):
            step = _STEP.match(path, at)
            if not step:
                raise ValueError(f"{path!r} is no path of this subset")
            name, condition = step.groups()
            found = [inner for value in found if isinstance(value, dict) for inner in _as_list(value.get(name))]
            if condition:
                found = [value for value in found if holds(condition, value, None)]
            at = step.end()
        return found

    def text(self, template):
        """A text with `${path}` in it, as tasks have them."""
        return re.sub(r"\$\{([^}]*)\}", lambda match: ",".join(map(_text, self.get(match[1]))), template)

    def is_equal_string(self, path, right):
        """The filter isEqualString: whether one of the values reads so."""
        return any(_text(value) == right for value in self.get(path))

    def is_false(self, path):
        """The filter isFalse."""
        return self.is_equal_string(path, "false")


def holds(condition, val, obj):
    """Whether a condition holds of an entry that is there (`val`) and a new one (`obj`)."""
    return all(_term(term, {"val": val, "obj": obj}) for term in condition.split("&&"))


def _term(text, entries):
    match = _TERM.match(text)
    if not match:
        raise ValueError(f"{text!r} is no condition of this subset")
    left, operator, right = match.groups()
    if operator is None:
        return bool(_operand(left, entries))
    return (_operand(left, entries) == _operand(right, entries)) == (operator == "==")


def _operand(text, entries):
    if text in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[text]
    if text[0] in "'\"":
        return text[1:-1]
    if text.isdigit():
        return int(text)
    root, *path = text.split(".")
    value = entries[root]
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _as_list(value):
    return [] if value is None else list(value) if isinstance(value, list) else [value]


def _text(value):
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
