"""What the stories of Tines and of n8n are tried with: an event, a directory, trouble, and where the story
has to end. Each scenario is run in both tools' stories, by readers of their JSON that send every HTTP step to
the service."""

import json
import re
import tempfile

import service

PERSON = {
    "event": "e-1",
    "username": "jane",
    "email": "jane@example.com",
    "givenname": "Jané",
    "surname": 'O"Roe',
    "displayname": 'Jané O"Roe',
    "employeeid": "E1",
    "title": "Lead",
}
THERE = {
    "id": "u-1",
    "userName": "jane",
    "displayName": "Jane Roe",
    "name": {"givenName": "Jane", "familyName": "Roe"},
    "emails": [{"value": "jane@example.com", "type": "work", "primary": True}],
    "externalId": "E1",
    "active": True,
}
GONE = {**THERE, "active": False}
OTHERS = {**THERE, "externalId": "E2"}
SWITCHED_OFF = {f"AWS_ILM_{switch}_USER_ENABLED": "false" for switch in ("CREATE", "UPDATE", "DISABLE")}


def trouble(status, api):
    """A fault for as long as the scenario lasts."""
    return [{"kind": {"status": {"status": status}}, "api": api, "times": "forever"}]


SCENARIOS = [
    ("hire", {}, [], [], "Tell hired", "jane is there, with the id "),
    ("hire", {}, [THERE], [], "Tell was there", "jane was there already"),
    ("hire", {"switches": SWITCHED_OFF}, [], [], "Tell skipped", "Nothing was done: Command is disabled."),
    ("hire", {"surname": ""}, [], [], "Tell failed", "jane is not there: name.familyName"),
    ("hire", {"key": "wrong"}, [], [], "Refused", "Not authenticated"),
    ("change", {}, [THERE], [], "Tell changed", "jane: update is done; active: true"),
    ("change", {}, [GONE], [], "Tell changed", "jane: update is done; active: false"),
    ("change", {"switches": SWITCHED_OFF}, [THERE], [], "Tell skipped", "Command is disabled."),
    ("change", {}, [OTHERS], [], "Tell failed", "(409)"),
    ("change", {"key": "wrong"}, [THERE], [], "Refused", "Not authenticated"),
    ("leave", {}, [THERE], [], "Tell gone", "jane is disabled."),
    ("leave", {}, [GONE], [], "Tell was gone", "jane was disabled before."),
    ("leave", {}, [], [], "Alert not done", "Nobody was disabled for jane: User does not exist"),
    ("leave", {"switches": SWITCHED_OFF}, [THERE], [], "Alert not done", "Command is disabled."),
    ("leave", {"switches": {"AWS_ILM_DISABLE_ABSENT": "fail"}}, [], [], "Alert failed", "jane may still get in"),
    ("leave", {"key": "wrong"}, [THERE], [], "Refused", "Not authenticated"),
    ("failed", {}, [], [], "Tell done", "jane: create is done."),
    ("failed", {"surname": ""}, [], [], "Ask HR", "Mend the data of jane: name.familyName"),
    ("failed", {}, [OTHERS], [], "Ask identity team", "Decide about jane"),
    ("failed", {}, [], trouble(500, "CreateUser"), "Tell operator", "The directory does not take"),
    ("failed", {}, [], trouble(503, "CreateUser"), "Tell stored", "jane waits in the service as operation "),
    ("failed", {"is_storeless": True}, [], trouble(503, "CreateUser"), "Tell not stored", "HTTP 501"),
    ("failed", {"key": "wrong"}, [], [], "Refused", "Not authenticated"),
    ("deferred", {"last_day": "2035-01-31T17:00:00Z"}, [THERE], [], "Tell stored", "jane will be disabled: operation "),
    ("deferred", {"last_day": "tomorrow"}, [THERE], [], "Alert not stored", "HTTP 400"),
    ("deferred", {"last_day": "2020-01-01T00:00:00Z"}, [THERE], [], "Tell gone", "jane is disabled."),
    ("deferred", {"last_day": "2020-01-01T00:00:00Z"}, [], [], "Look at skip", "User does not exist"),
    (
        "deferred",
        {"last_day": "2035-01-31T17:00:00Z", "is_cancelled": True},
        [THERE],
        [],
        "Alert not done",
        "is cancelled",
    ),
    (
        "deferred",
        {"last_day": "2020-01-01T00:00:00Z"},
        [THERE],
        [{"kind": {"slow": {"milliseconds": 3000, "work_late": False}}, "api": "PatchUser"}],
        "Tell gone",
        "jane is disabled.",
    ),
    ("deferred", {"operation": "none"}, [], [], "Refused", "HTTP 404"),
    ("deferred", {"operation": "none", "is_page": True}, [], [], "Refused", "HTTP 200"),
    ("deferred", {"is_page": True}, [], [], "Alert not stored", "HTTP 200"),
    ("hire", {"is_page": True}, [], [], "Refused", "HTTP 200"),
    ("change", {"is_page": True}, [], [], "Refused", "HTTP 200"),
    ("leave", {"is_page": True}, [], [], "Refused", "HTTP 200"),
    ("failed", {"is_page": True}, [], [], "Refused", "HTTP 200"),
]
"""Story, what is otherwise than in `PERSON` and the settings, the directory's users, its faults, the step in
which it has to end, and what that step has to say."""

NOT_OF_EVENT = ("switches", "key", "is_storeless", "is_cancelled", "operation", "is_page")


def run_all(checks, binary, tool, folder, story_of):
    """Runs every scenario; `story_of(document, send)` makes a runner with `entries`, `start(entry, body)` and
    `unused`."""
    runners = {}
    with service.Directory(
        binary, {"users": [], "groups": []}, name="soar-story-directory"
    ) as directory, service.Caller(binary, "soar-story") as caller:
        groups = {}
        for scenario in SCENARIOS:
            changed = scenario[1]
            groups.setdefault((json.dumps(changed.get("switches", {})), changed.get("is_storeless", False)), []).append(
                scenario
            )
        for (switches, is_storeless), scenarios in groups.items():
            with tempfile.TemporaryDirectory(prefix="aws-ilm-soar-") as place:
                settings = {
                    **directory.environment,
                    **caller.environment,
                    **json.loads(switches),
                    "AWS_ILM_COMMAND_TIMEOUT": "2s",
                }
                if not is_storeless:
                    settings["AWS_ILM_STORE_PATH"] = f"{place}/store.db"
                with service.Service(binary, environment=settings, name="soar-story") as ours:
                    for number, scenario in enumerate(scenarios):
                        run_one(checks, tool, folder, story_of, runners, directory, ours, caller, scenario, number)
    for name, seen in sorted(runners.items()):
        document = json.loads((folder / f"{name}.json").read_text())
        checks.equal(
            f"{tool} {name}: every step and every branch was gone through", story_of(document, None).steps - seen, set()
        )
    checks.equal(f"{tool}: every story was run", set(runners), {file.stem for file in folder.glob("*.json")})


def run_one(checks, tool, folder, story_of, runners, directory, ours, caller, scenario, number):
    """Runs one scenario in a directory of its own, by a person of a name that the service has not heard yet."""
    name, changed, users, faults, last, told = scenario
    service.request("PUT", f"{directory.url}/sandbox/state", {"users": users, "groups": []})
    directory.script(faults)
    sent = []

    def send(method, url, headers, body):
        assert headers.get("Authorization") == "Bearer KEY", headers
        headers = {**headers, "Authorization": f"Bearer {changed.get('key') or caller.key}"}
        sent.append((method, url))
        if changed.get("is_page"):
            # Another server answers, such as a proxy that wants somebody to sign in.
            return service.Answer(200, {"Content-Type": "text/html"}, b"<html>Sign in</html>")
        # So that an operation that takes seconds is asked about more than once.
        url = url.replace("timeout=25", "timeout=1")
        return service.request(method, url.replace("https://ilm.example.com", ours.url), body, headers)

    story = story_of(json.loads((folder / f"{name}.json").read_text()), send)
    event = {
        **PERSON,
        **{key: value for key, value in changed.items() if key not in NOT_OF_EVENT},
        "event": f"{name}-{number}",
    }
    # An operation that lingers from another scenario must not hold this one up.
    key = {"Authorization": f"Bearer {caller.key}"}
    ended = []
    if "operation" not in changed:
        ended = story.start(story.entries[0], event)
    operation = re.search(r"operation ([0-9a-f-]{36})", " ".join(message for _, message in ended))
    if len(story.entries) > 1 and (operation or "operation" in changed) and last != "Tell stored":
        operation = operation[1] if operation else changed["operation"]
        if changed.get("is_cancelled"):
            service.request("POST", f"{ours.url}/operations/{operation}/cancel", headers=key)
        ended = story.start(story.entries[1], {"operation": operation})
    shown = {key: value for key, value in changed.items() if key != "switches"}
    checks.check(
        f"{tool} {name} {shown} ends in {last!r} and says {told!r}",
        [step for step, _ in ended] == [last] and told in ended[0][1],
        f"{ended}\n{sent}",
    )
    runners.setdefault(name, set()).update(story.gone)
    directory.script([])
    for waiting in (service.request("GET", f"{ours.url}/operations", headers=key).json or {}).get("operations", []):
        if not waiting["endedAt"]:
            service.request("POST", f"{ours.url}/operations/{waiting['id']}/cancel", headers=key)


def lookup(value, path):
    """What a dotted path leads to; None where it leads nowhere."""
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def text_of(value):
    """A value inside a text, as these tools write it."""
    return "" if value is None else {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
