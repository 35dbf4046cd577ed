"""What `Invoke-RestMethod` sends, from PowerShell's documentation: Windows PowerShell 5.1 by .NET's
HttpWebRequest, which waits for `100 Continue` and writes a body without a charset in ISO-8859-1; PowerShell
7.0 to 7.3, which does not wait; and 7.4, whose default is UTF-8. As much of the language is read as the pages
use."""

import json
import re
import socket
import urllib.parse

RELEASES = {
    "Windows PowerShell 5.1": ("WindowsPowerShell/5.1.19041.1", True, "iso-8859-1"),
    "PowerShell 7.2": ("PowerShell/7.2.0", False, "iso-8859-1"),
    "PowerShell 7.4 (UTF-8)": ("PowerShell/7.4.0", False, "utf-8"),
}
"""User agent, whether it waits before the body, and how a body without a charset is written."""


def requests_of(script, environment):
    """For each release a function that sends the script's request, and returns status and document."""
    call = read(script, environment)
    charset = re.search(r"charset=([\w-]+)", call["ContentType"])

    def sender(agent, waits, default):
        body = call["Body"].encode(charset[1] if charset else default)
        return lambda: send(
            call["Method"].upper(),
            call["Uri"],
            {**call.get("Headers", {}), "User-Agent": f"Mozilla/5.0 {agent}", "Content-Type": call["ContentType"]},
            body,
            waits,
        )

    return {release: sender(*form) for release, form in RELEASES.items()}


def read(script, environment):
    """The parameters of the script's `Invoke-RestMethod`."""
    variables = {f"env:{name}": value for name, value in environment.items()}
    lines = [text.strip() for text in script.splitlines() if text.strip()]
    while lines:
        text = lines.pop(0)
        call = re.fullmatch(r"\$\w+ = Invoke-RestMethod (.*)", text)
        if call:
            pairs = re.findall(r"-(\w+) ('[^']*'|\"[^\"]*\"|\S+)", call[1])
            return {name: value_of(value, lines, variables) for name, value in pairs}
        name, _, value = text.partition(" = ")
        variables[name.removeprefix("$")] = value_of(value, lines, variables)
    raise ValueError("there is no Invoke-RestMethod")


def value_of(text, lines, variables):
    """A text, a variable, or a table that goes on over the next lines."""
    if text == "@{":
        table = {}
        while not (line := lines.pop(0)).startswith("}"):
            name, _, value = line.partition(" = ")
            table[name.strip("'")] = value_of(value, lines, variables)
        piped = re.fullmatch(r"\}( \| ConvertTo-Json -Depth (\d))?", line)
        return converted(table, int(piped[2])) if piped[1] else table
    if text.startswith("'"):
        return text[1:-1]
    if text.startswith('"'):
        return re.sub(r"\$((?:env:)?\w+)", lambda match: variables[match[1]], text[1:-1])
    return variables[text[1:]] if text.startswith("$") else text


def converted(table, depth):
    """ConvertTo-Json: indented, with CR LF, and with some characters escaped that need not be."""

    def deepest(value):
        return 1 + max(map(deepest, value.values())) if isinstance(value, dict) else 0

    assert deepest(table) <= depth
    text = json.dumps(table, indent=4, ensure_ascii=False).replace("\n", "\r\n")
    return re.sub(r"['<>&]", lambda match: f"\\u{ord(match[0]):04x}", text)


def send(method, uri, headers, body, waits):
    """Sends a request over a connection of its own, by way of `100 Continue` where the client waits for it."""
    target = urllib.parse.urlsplit(uri)
    head = {**headers, "Host": target.netloc, "Content-Length": str(len(body)), "Connection": "Keep-Alive"}
    if waits:
        head["Expect"] = "100-continue"
    with socket.create_connection((target.hostname, target.port), timeout=60) as connection, connection.makefile(
        "rb"
    ) as answers:
        lines = [f"{method} {target.path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items())]
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        status, fields = (0, {})
        if waits:
            status, fields = answer_head(answers)
            assert status == 100, f"{status} in place of 100 Continue"
        connection.sendall(body)
        status, fields = answer_head(answers)
        return status, json.loads(answers.read(int(fields["content-length"])))


def answer_head(answers):
    """Status and header fields of an answer."""
    status = int(answers.readline().split()[1])
    fields = {}
    while line := answers.readline().strip():
        name, _, value = line.decode().partition(":")
        fields[name.lower()] = value.strip()
    return status, fields
