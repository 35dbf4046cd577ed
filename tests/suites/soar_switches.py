"""The switches of XSOAR's instance do what the service's own do: the same answers, and the same left in the
directory."""

import json

import service
from soar_cases import differing, normalised
from xsoar_runtime import Instance

PERSON = {
    "id": "u-1",
    "userName": "test",
    "displayName": "Test User",
    "name": {"givenName": "Test", "familyName": "User"},
    "emails": [{"value": "test@example.com", "type": "work", "primary": True}],
    "active": True,
}
PROFILE = {
    "username": "test",
    "email": "test@example.com",
    "givenname": "Test",
    "surname": "User",
    "displayname": "Test User",
    "title": "Boss",
}
NOBODY, SOMEBODY, INACTIVE = [], [PERSON], [{**PERSON, "active": False}]

TABLE = [
    ("create, creating off", "iam-create-user", NOBODY, ["create_user_enabled"]),
    ("create of a user who is there, updating off", "iam-create-user", SOMEBODY, ["update_user_enabled"]),
    ("create of a user who is not there, updating off", "iam-create-user", NOBODY, ["update_user_enabled"]),
    ("create of an inactive user, enabling off", "iam-create-user", INACTIVE, ["enable_user_enabled"]),
    ("create of a user who is not there, enabling off", "iam-create-user", NOBODY, ["enable_user_enabled"]),
    ("create of a user who is not there, creating in updates off", "iam-create-user", NOBODY, ["create_if_not_exists"]),
    ("update, updating off", "iam-update-user", SOMEBODY, ["update_user_enabled"]),
    ("update of an inactive user, enabling off", "iam-update-user", INACTIVE, ["enable_user_enabled"]),
    ("update of an active user, enabling off", "iam-update-user", SOMEBODY, ["enable_user_enabled"]),
    ("update of nobody, creating in updates off", "iam-update-user", NOBODY, ["create_if_not_exists"]),
    ("update of nobody, creating off", "iam-update-user", NOBODY, ["create_user_enabled"]),
    ("update of nobody, enabling off", "iam-update-user", NOBODY, ["enable_user_enabled"]),
    (
        "update of nobody, creating off either way",
        "iam-update-user",
        NOBODY,
        ["create_if_not_exists", "create_user_enabled"],
    ),
    ("disable, disabling off", "iam-disable-user", SOMEBODY, ["disable_user_enabled"]),
    (
        "disable, all else off",
        "iam-disable-user",
        SOMEBODY,
        ["create_user_enabled", "update_user_enabled", "enable_user_enabled", "create_if_not_exists"],
    ),
]
"""What is done, to whom, and which switches are off."""

TOLD = ("action", "success", "active", "id", "username", "email", "errorCode", "errorMessage", "skipped", "reason")


def run(checks, binary, unified):
    """Runs each row with the switches in XSOAR and with them at the service."""
    cases = json.loads((service.ROOT / "tests" / "integration" / "cases.json").read_text())
    with service.Directory(binary, {"users": [], "groups": []}, name="soar-switches-directory") as directory:
        with service.Service(binary, environment=directory.environment, name="soar-switches") as ours:
            in_xsoar = [outcome(directory, ours, unified, row, {switch: False for switch in row[3]}) for row in TABLE]
            check_calls(checks, directory, ours, unified)
        for row, found in zip(TABLE, in_xsoar):
            off = {f"AWS_ILM_{switch.upper()}": "false" for switch in row[3]}
            with service.Service(binary, environment={**directory.environment, **off}, name="soar-switched") as theirs:
                checks.equal(
                    f"{row[0]}: as the service's own switch", found, outcome(directory, theirs, unified, row, {})
                )
        for case in (case for case in cases if case["switches"]):
            off = {f"AWS_ILM_{switch.upper()}": str(value).lower() for switch, value in case["switches"].items()}
            with service.Service(binary, environment={**directory.environment, **off}, name="soar-switched") as theirs:
                service.request("PUT", f"{directory.url}/sandbox/state", case["directory"])
                [entry] = Instance(unified, {"url": theirs.url}).run(case["command"], case["arguments"])
                checks.equal(
                    f"{case['name']}, by the service's switch: as in the original", list(differing(case, entry)), []
                )


def outcome(directory, of, unified, row, entered):
    """What a row's command answers, and what it leaves in the directory."""
    _, command, users, _ = row
    service.request("PUT", f"{directory.url}/sandbox/state", {"users": users, "groups": []})
    [entry] = Instance(unified, {"url": of.url, **entered}).run(command, {"user-profile": PROFILE})
    left = [(user["userName"], user["active"], user.get("title")) for user in directory.users()]
    told = {key: entry["Contents"][key] for key in TOLD} if isinstance(entry["Contents"], dict) else entry["Contents"]
    return normalised(told), left


def check_calls(checks, directory, ours, unified):
    """That switches that are on cost nothing, and that those that are off ask only where they have to."""
    for name, command, entered, expected in (
        ("a creation with all switches on", "iam-create-user", {}, 1),
        ("a creation that is switched off", "iam-create-user", {"create_user_enabled": False}, 0),
        ("a disable with all other switches off", "iam-disable-user", {"create_user_enabled": False}, 1),
    ):
        service.request("PUT", f"{directory.url}/sandbox/state", {"users": [], "groups": []})
        directory.take_requests()
        Instance(unified, {"url": ours.url, **entered}).run(command, {"user-profile": PROFILE})
        checks.equal(f"{name} sends the directory {expected} requests", len(directory.take_requests()), expected)
