"""Reads the part of YAML that integrations are written in: block mappings and lists, plain and quoted scalars
on one line, `[]`, and literal blocks. Anything else is refused, so that nothing is read otherwise than XSOAR
reads it; the suite with demisto-sdk holds that a full reader finds the same."""

import json
import re

_KEY = re.compile(r"([A-Za-z][A-Za-z0-9_-]*):(?: (.*))?$")
_NUMBER = re.compile(r"-?\d+$")


class YamlError(ValueError):
    """What stands there is not of the subset."""


def load(text):
    """The document."""
    lines = text.split("\n")
    value, at = _block(lines, 0, 0)
    at = _next(lines, at)
    if at < len(lines):
        raise YamlError(f"line {at + 1}: {lines[at]!r} belongs to nothing")
    return value


def _next(lines, at):
    while at < len(lines) and not lines[at].strip():
        at += 1
    return at


def _indent(line):
    return len(line) - len(line.lstrip(" "))


def _block(lines, at, indent):
    at = _next(lines, at)
    return (_list if lines[at].lstrip().startswith("- ") else _mapping)(lines, at, indent)


def _mapping(lines, at, indent):
    found = {}
    while (at := _next(lines, at)) < len(lines) and _indent(lines[at]) == indent:
        match = _KEY.match(lines[at][indent:])
        if not match:
            break
        key, text = match.groups()
        if key in found:
            raise YamlError(f"line {at + 1}: {key} stands there twice")
        found[key], at = _value(lines, at, indent, text)
    return found, at


def _list(lines, at, indent):
    found = []
    while (
        (at := _next(lines, at)) < len(lines) and _indent(lines[at]) == indent and lines[at][indent:].startswith("- ")
    ):
        item = lines[at][indent + 2 :]
        if _KEY.match(item):
            # A mapping whose first key stands behind the dash.
            lines[at] = " " * (indent + 2) + item
            value, at = _mapping(lines, at, indent + 2)
        else:
            value, at = _scalar(item, at), at + 1
        found.append(value)
    return found, at


def _value(lines, at, indent, text):
    if text in ("|", "|-"):
        return _literal(lines, at + 1, keeps_end=text == "|")
    if text:
        return _scalar(text, at), at + 1
    following = _next(lines, at + 1)
    if following < len(lines):
        deeper = _indent(lines[following])
        # A list may stand at the indent of its key.
        if deeper > indent or deeper == indent and lines[following][indent:].startswith("- "):
            return _block(lines, following, deeper)
    return None, at + 1


def _literal(lines, at, keeps_end):
    indent = _indent(lines[_next(lines, at)])
    block = []
    while at < len(lines) and (not lines[at].strip() or _indent(lines[at]) >= indent):
        block.append(lines[at][indent:])
        at += 1
    while block and not block[-1].strip():
        block.pop()
    return "\n".join(block) + ("\n" if keeps_end else ""), at


def _scalar(text, at):
    if text == "[]":
        return []
    if text[0] == "'":
        if not re.fullmatch(r"'(?:[^']|'')*'", text):
            raise YamlError(f"line {at + 1}: a quoted text that ends elsewhere")
        return text[1:-1].replace("''", "'")
    if text[0] == '"':
        return json.loads(text)
    if text in ("true", "false"):
        return text == "true"
    if _NUMBER.match(text):
        return int(text)
    if (
        text[0] in "[{&*!|>%@`#,?"
        or ": " in text
        or " #" in text
        or text.lower() in ("yes", "no", "on", "off", "null", "~")
    ):
        raise YamlError(f"line {at + 1}: {text!r} is not of the subset; quote it")
    return text
