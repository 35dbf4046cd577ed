"""Every request of docs/playbooks.md and docs/xsoar.md, and PowerShell's of README.md, sent to the
service: curl's lines by curl, Power Automate's action and PowerShell's call by readers of ours that make the request which their documentation
describes, XSOAR's lines under the stand-in of its runtime."""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import tempfile

import service
from soar_powershell import requests_of
from xsoar_runtime import Instance, yaml_subset

PAGES = service.ROOT / "docs"
EXAMPLE = "https://ilm.example.com"
LONGEST = 12 * 1024
EVENT = {
    "event": "4720",
    "username": "pat",
    "email": "pat@example.com",
    "givenname": "Pat",
    "surname": 'O"Roe',
    "displayname": 'Pat O"Roe',
}


def run(checks, binary, unified):
    """Runs all parts."""
    playbooks, xsoar = ((PAGES / name).read_text() for name in ("playbooks.md", "xsoar.md"))
    for name, page in (("playbooks.md", playbooks), ("xsoar.md", xsoar)):
        checks.check(f"{name}: has at most 12 KB", len(page.encode()) <= LONGEST, len(page.encode()))
        links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", page)]
        checks.equal(
            f"{name}: what it links to is there", [link for link in links if link and not (PAGES / link).exists()], []
        )
        anchors = {
            re.sub(r"[^\w -]", "", line.lstrip("# ").lower()).replace(" ", "-")
            for line in (playbooks + "\n" + xsoar).splitlines()
            if line.startswith("#")
        }
        checks.equal(f"{name}: and the headings", set(re.findall(r"\]\([^)]*#([^)]+)\)", page)) - anchors, set())
    people = {
        "users": [
            {
                "id": "u-kim",
                "userName": "kim",
                "displayName": "Kim",
                "name": {"givenName": "K", "familyName": "M"},
                "active": True,
            }
        ],
        "groups": [],
    }
    with service.Directory(binary, people, name="soar-pages-directory") as directory, service.Caller(
        binary, "soar-pages"
    ) as caller, tempfile.TemporaryDirectory(prefix="aws-ilm-soar-") as folder:
        settings = {**directory.environment, **caller.environment, "AWS_ILM_STORE_PATH": f"{folder}/store.db"}
        # With the rights that the page says are enough.
        [commands] = re.findall(r"`commands = (\[[^`]*\])`", playbooks)
        allowed = pathlib.Path(caller.environment["AWS_ILM_CALLERS_FILE"])
        allowed.write_text(
            allowed.read_text().replace('["*"]', " ".join(commands.split()), 1).replace("administration = true\n", "")
        )
        with service.Service(binary, environment=settings, name="soar-pages") as ours:
            for name, part in (
                ("curl", check_curl),
                ("Power Automate", check_power_automate),
                ("PowerShell", check_powershell),
            ):
                with checks.section(name):
                    part(checks, playbooks, ours, caller, folder)
            with checks.section("what playbooks.md says"):
                check_sayings(checks, playbooks, unified, ours, caller)
        with checks.section("README.md"), service.Service(
            binary, environment=directory.environment, name="soar-readme"
        ) as ours:
            check_readme(checks, ours)
        with checks.section("xsoar.md"), page_callers_service(xsoar, binary, directory) as (ours, key):
            check_xsoar(checks, xsoar, unified, ours, key)


def blocks(page, language):
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def vendor(answer):
    """The result that a playbook branches on."""
    return answer["IAM"]["Vendor"]


def check_curl(checks, page, ours, caller, folder):
    """Runs the shell's lines as they are, but for the address."""
    [script] = blocks(page, "sh")
    environment = {"PATH": os.environ["PATH"], "ILM_KEY": caller.key}
    done = subprocess.run(
        ["bash", "-euc", script.replace(EXAMPLE, ours.url)],
        cwd=folder,
        env=environment,
        timeout=60,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    checks.check("curl's lines end well and say nothing else", done.returncode == 0 and not done.stderr, done)
    answers, rest = [], done.stdout
    while rest:
        answer, end = json.JSONDecoder().raw_decode(rest)
        answers.append(answer)
        rest = rest[end:].lstrip()
    told = [(vendor(answer)["action"], vendor(answer)["success"], vendor(answer)["skipped"]) for answer in answers[:3]]
    checks.equal(
        "curl's lines hire, change and disable",
        told,
        [("create", True, False), ("update", True, False), ("disable", True, False)],
    )
    checks.equal(
        "and store a disable for the last day",
        [(answer["state"], answer["notBefore"], answer["purpose"]) for answer in answers[3:]],
        [("scheduled", "2035-01-31T17:00:00.000Z", "leave")],
    )
    checks.equal("the key's file is its owner's alone", oct(os.stat(f"{folder}/ilm.header").st_mode & 0o777), "0o600")


def check_power_automate(checks, page, ours, caller, _):
    """Sends the HTTP action with its expressions evaluated."""
    [text] = blocks(page, "json")
    action = json.loads(text)
    checks.check(
        "Power Automate's action has the form of its HTTP action",
        action["type"] == "Http"
        and set(action["inputs"]) == {"method", "uri", "headers", "body"}
        and action["operationOptions"] == "DisableAsyncPattern",
        action,
    )

    def filled(value):
        if isinstance(value, dict):
            return {key: filled(inner) for key, inner in value.items()}
        whole = re.fullmatch(r"@triggerBody\(\)\?\['(\w+)'\]", value)
        if whole:
            return EVENT.get(whole[1])
        value = value.replace("@{parameters('ilm_key')}", caller.key)
        value = re.sub(r"@\{triggerBody\(\)\?\['(\w+)'\]\}", lambda match: EVENT.get(match[1], ""), value)
        assert "@{" not in value, value
        return value

    inputs = filled(action["inputs"])
    for turn in ("first", "second"):
        answer = service.request(
            inputs["method"], inputs["uri"].replace(EXAMPLE, ours.url), inputs["body"], inputs["headers"]
        )
        checks.check(
            f"Power Automate's action hires, the {turn} time",
            answer.status == 200
            and vendor(answer.json)["action"] == "create"
            and vendor(answer.json)["success"] is True,
            answer,
        )
    checks.equal("and is done once", answer.headers.get("Idempotent-Replayed"), "true")


def check_powershell(checks, page, ours, caller, _):
    """Sends PowerShell's request as its releases do; without the charset it is refused, as the page says."""
    [script] = blocks(page, "powershell")
    script = script.replace(EXAMPLE, ours.url)
    for release, send in requests_of(script, {"ILM_KEY": caller.key}).items():
        service.request("POST", f"{ours.url}/commands/iam-disable-user", {"user-profile": {"username": "zoe"}})
        status, document = send()
        checks.check(
            f"{release}: hires Zoë",
            status == 200 and vendor(document)["success"] and vendor(document)["details"]["displayName"] == "Zoë Roe",
            document,
        )
    for release, send in requests_of(script.replace("; charset=utf-8", ""), {"ILM_KEY": caller.key}).items():
        status, document = send()
        checks.check(
            f"{release}, without the charset: {'is read' if 'UTF-8' in release else 'is refused'}",
            status == 200 and vendor(document)["success"] == ("UTF-8" in release),
            document,
        )


def check_readme(checks, ours):
    """Sends the request of PowerShell that the README has beside curl's."""
    [script] = blocks((service.ROOT / "README.md").read_text(), "powershell")
    for release, send in requests_of(script.replace("http://127.0.0.1:8080", ours.url), {}).items():
        status, document = send()
        checks.equal(f"{release}: hires Jane, or finds her", (status, vendor(document)["success"]), (200, True))


def check_sayings(checks, page, unified, ours, caller):
    """What the page says of keys and states."""
    key = {"Authorization": f"Bearer {caller.key}", "Prefer": "handling=lenient", "Idempotency-Key": "hire-"}
    first, second = (
        {"user-profile": {**EVENT, "username": name, "email": f"{name}@example.com"}} for name in ("eve", "adam")
    )
    checks.check("a key is used", vendor(ours.command("iam-create-user", first, headers=key).json)["success"])
    told = vendor(ours.command("iam-create-user", second, headers=key).json)
    checks.check(
        "another person under it gets a failed answer",
        not told["success"] and told["errorCode"] == 400 and "was used for another request" in told["errorMessage"],
        told,
    )
    section = page.partition("## Deferred commands")[2].partition("## ")[0]
    rows = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    ended = {state for row in rows for state in re.findall(r"`(\w+)`", row)} - {"state"}
    script = yaml_subset.load(unified)["script"]["script"]
    [of_integration] = re.findall(r"^ENDED = \((.*)\)$", script, re.MULTILINE)
    checks.equal(
        "the page and the integration have the same ended states", ended, set(re.findall(r'"(\w+)"', of_integration))
    )
    contract = json.loads((service.ROOT / "openapi" / "openapi.json").read_text())
    described = contract["components"]["schemas"]["OperationView"]["properties"]["state"]["description"]
    checks.check("which the contract knows", all(f"`{state}`" in described for state in ended), described)


def check_xsoar(checks, page, unified, ours, key):
    """Runs the page's lines as XSOAR would, and looks for what it says to find."""
    instance = Instance(unified, {"url": ours.url, "credentials": {"identifier": "", "password": key}})
    checks.equal("Test says ok", instance.run("test-module"), ["ok"])
    form = {"url": ours.url, "credentials": {"identifier": "", "password": key}, "asynchronous": True}
    asynchronous = Instance(unified, form)
    checks.equal("and with asynchronous commands", asynchronous.run("test-module"), ["ok"])
    asynchronous.run("iam-disable-user", {"user-profile": {"username": "kim"}})
    checks.check(
        "which are carried out",
        asynchronous.context.is_equal_string("IAM.Vendor.active", "false"),
        asynchronous.context.values,
    )
    checks.check("the mapper editor gets its fields", instance.run("get-mapping-fields")[0]["User Profile"])
    first, change, operation = blocks(page, "xsoar")
    [entry] = [instance.run(*line(text)) for text in first.splitlines()][0]
    checks.equal(
        "the first command is a failed result, as the page says",
        (entry["Type"], entry["Contents"]["errorMessage"]),
        (1, "User does not exist"),
    )
    for text in change.splitlines():
        instance.run(*line(text))
    rows = re.findall(r"^\| `(\$\{.*?\})` \| (.*?) \|$", page, re.MULTILINE)
    checks.equal("the page has what to find in the context", len(rows), 4)
    for expression, expected in rows:
        checks.equal(f"{expression} gives what the page says", instance.context.text(expression), expected)
    stored = ours.command(
        "iam-disable-user",
        {"user-profile": {"username": "kim"}},
        "?notBefore=2035-01-31T17:00:00Z",
        {"Prefer": "respond-async", "Authorization": f"Bearer {key}"},
    ).json["id"]
    for text in operation.splitlines():
        command, args = line(text)
        checks.check("an operation's id has the form of the page's", len(args["operation-id"]) == len(stored), args)
        [entry] = instance.run(command, {**args, "operation-id": stored})
        checks.equal(f"{text}: polls if asked to", "PollingCommand" in entry, "polling" in args)
    script = yaml_subset.load(unified)["script"]["script"]
    known = (
        script + (service.ROOT / "src/http/problem_type.rs").read_text() + "Connection Error CERTIFICATE_VERIFY_FAILED"
    )
    told = page.partition("| Test says | mend |")[2].partition("\n\n")[0]
    phrases = [phrase for row in told.splitlines()[2:] for phrase in re.findall(r"`([^`]+)`", row.split("|")[1])]
    unknown = [
        phrase
        for phrase in phrases
        if not re.search(
            r"[\s\"]*".join(map(re.escape, phrase.split(" "))).replace("outgoing", r"\{direction\}"), known
        )
    ]
    checks.check("what Test says by the page is said by somebody", len(phrases) >= 10 and not unknown, unknown)
    form = {field["name"]: field["display"] for field in yaml_subset.load(unified)["configuration"]}
    fields = page.partition("## 3. The instance")[2].partition("Press *Test*")[0]
    for name in ("url", "instance", "mapper_in", "mapper_out", "asynchronous"):
        checks.check(f"the page has the form's field {form[name]!r}", form[name] in fields)


def line(text):
    """A line of the War Room: a command, and its arguments, quoted by backticks where they have blanks."""
    command, _, rest = text.removeprefix("!").partition(" ")
    return command, {name: quoted or plain for name, quoted, plain in re.findall(r"([\w-]+)=(?:`([^`]*)`|(\S+))", rest)}


@contextlib.contextmanager
def page_callers_service(page, binary, directory):
    """A service whose only caller is the page's, and that caller's key."""
    [text] = blocks(page, "toml")
    made = subprocess.run(
        [str(binary), "key", "new", "--name", "soar"],
        check=True,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    ).stdout
    digest = re.search(r'sha256 = "([0-9a-f]{64})"', made)[1]
    with tempfile.TemporaryDirectory(prefix="aws-ilm-soar-") as folder:
        with open(f"{folder}/callers.toml", "w") as file:
            file.write(re.sub(r"[0-9a-f]{64}", digest, text))
        settings = {"AWS_ILM_CALLERS_FILE": f"{folder}/callers.toml", "AWS_ILM_STORE_PATH": f"{folder}/store.db"}
        with service.Service(binary, environment={**directory.environment, **settings}, name="soar-caller") as ours:
            yield ours, made.splitlines()[0]
