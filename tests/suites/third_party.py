#!/usr/bin/env python3
"""Runs every command against a SCIM 2.0 server that other people wrote.

The service speaks its plain RFC 7644 dialect here (AWS_ILM_SCIM_DIALECT=rfc7644). Each check holds the answer's
HTTP status and envelope against the contract, and then asks the foreign server itself what it now knows: the
service's own word is not taken for it.

    python3 tests/suites/third_party.py [--server scim2|scimmy] [--binary target/debug/aws-ilm]

`scim2` is scim2-server from PyPI, `scimmy` is scimmy-routers from npm (under `scimmy/`, needs node and npm). What such a
server cannot do is listed below as a `Limitation` with its reason, shown in the output, and probed: when the
server has learnt it, the suite fails until the entry is gone.
"""

import argparse
import shutil
import subprocess
import sys
import urllib.parse

import service
import third_party_groups
import third_party_users

TOKEN = "a-token-for-the-suite-0c6f5b1e"
WRONG_TOKEN = "another-token-that-nobody-knows"
SCIM2_SERVER = "scim2-server==0.8.3"


class Foreign:
    """The foreign server, spoken to directly: the state that the checks trust."""

    def __init__(self, base):
        self.base = base

    def call(self, method, path, body=None):
        """Sends one SCIM request with the right token."""
        return service.request(method, self.base + path, body, {"Authorization": f"Bearer {TOKEN}"})

    def get(self, kind, identifier):
        """The user or group (`kind` is `Users` or `Groups`) with this id; None when there is none."""
        answer = self.call("GET", f"/{kind}/{urllib.parse.quote(str(identifier), safe='')}")
        return answer.json if answer.status == 200 else None

    def all(self, kind):
        """Every user or group it has."""
        return self.call("GET", f"/{kind}").json["Resources"]

    def named(self, kind, name):
        """All users or groups of this exact name, found without a filter."""
        attribute = "userName" if kind == "Users" else "displayName"
        return [one for one in self.all(kind) if one[attribute] == name]


class Limitation:
    """Something a foreign server cannot do, so that a check has no ground to stand on there."""

    def __init__(self, name, reason, still_so):
        self.name = name
        self.reason = reason
        self.still_so = still_so


def group_names_not_unique(foreign):
    """True when two groups of one name can be made."""
    body = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "limitation probe"}
    made = [foreign.call("POST", "/Groups", body) for _ in range(2)]
    for answer in made:
        if answer.status == 201:
            foreign.call("DELETE", f"/Groups/{answer.json['id']}")
    return [answer.status for answer in made] == [201, 201]


def no_groups_of_users(foreign):
    """True when `groups.value` finds nobody although a group has a member."""
    user = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "limitation.probe"}
    user = foreign.call("POST", "/Users", user).json
    group = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "limitation probe",
             "members": [{"value": user["id"]}]}
    group = foreign.call("POST", "/Groups", group).json
    wanted = urllib.parse.quote(f'groups.value eq "{group["id"]}"')
    found = foreign.call("GET", f"/Users?filter={wanted}")
    foreign.call("DELETE", f"/Groups/{group['id']}")
    foreign.call("DELETE", f"/Users/{user['id']}")
    return found.status != 200 or not found.json["Resources"]


def no_escapes_in_filters(foreign):
    """True when an escaped quote inside a filter's string is refused (RFC 7644 section 3.4.2.2 takes JSON's strings)."""
    return foreign.call("GET", "/Users?filter=" + urllib.parse.quote('userName eq "a\\"b"')).status == 400


def members_not_checked(foreign):
    """True when a group takes a member that does not exist."""
    body = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "limitation probe",
            "members": [{"value": "nobody-has-this-id"}]}
    made = foreign.call("POST", "/Groups", body)
    if made.status == 201:
        foreign.call("DELETE", f"/Groups/{made.json['id']}")
    return made.status == 201


GROUPS_OF_USERS = Limitation(
    "groups.value", "the server does not keep a user's groups, so members come from the group itself and carry no "
    "display name", no_groups_of_users)
UNKNOWN_MEMBERS = Limitation(
    "unknown members", "the server takes any member id, so splitting a chunk to find a bad member never happens here",
    members_not_checked)

LIMITATIONS = {
    "scim2": [
        Limitation("duplicate group", "the server lets two groups have one name, so a duplicate cannot be refused",
                   group_names_not_unique),
        GROUPS_OF_USERS,
        UNKNOWN_MEMBERS,
    ],
    "scimmy": [
        Limitation("escapes in filters", "the server takes the string of a filter as it stands, so that nobody with "
                   "a quote or a backslash in the name can be looked up", no_escapes_in_filters),
        GROUPS_OF_USERS,
        UNKNOWN_MEMBERS,
    ],
}


def start(server):
    """Installs and starts the foreign server; returns its process and its SCIM base."""
    port = service.free_port()
    base = f"http://127.0.0.1:{port}/v2"
    if server == "scim2":
        program = service.python_tool("scim2-server", SCIM2_SERVER)
        command = [program, "--hostname", "127.0.0.1", "--port", port, "--bearer-token", TOKEN]
    else:
        home = service.WORK / "scimmy"
        home.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "server.mjs"):
            shutil.copy(service.ROOT / "tests" / "suites" / "scimmy" / name, home)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"], cwd=home, check=True,
                       stdin=subprocess.DEVNULL)
        command = ["node", home / "server.mjs", port, TOKEN]
    process = service.Process(f"third-party-{server}", command)
    try:
        process.wait_for(f"{base}/ServiceProviderConfig", lambda answer: answer.status in (200, 401))
    except BaseException:
        process.stop()
        raise
    return process, base


def environment(base, token=TOKEN):
    """The service's settings: one plain SCIM instance, from environment variables alone."""
    return {
        "AWS_ILM_URL": base,
        "AWS_ILM_AUTHENTICATION_TOKEN": token,
        "AWS_ILM_SCIM_DIALECT": "rfc7644",
        "AWS_ILM_INSTANCE_NAME": "third-party",
    }


def check_wrong_settings(checks, binary, base):
    """A wrong token and a wrong path are the operator's fault: told as 502, and never as "no such person"."""
    leaver = {"user-profile": {"username": "somebody.unknown"}}
    with service.Service(binary, environment=environment(base, WRONG_TOKEN), name="aws-ilm-wrong-token") as ours:
        answer = ours.command("test-module")
        found = answer.json["TestModule"]
        checks.equal("wrong token: test-module fails", (found["success"], found["errorCode"]), (False, 401))
        answer = ours.command("iam-disable-user", leaver)
        vendor = answer.json["IAM"]["Vendor"]
        checks.equal("wrong token: disable answers 502 and does not skip",
                     (answer.status, vendor["success"], vendor["skipped"], vendor["errorCode"]), (502, False, False, 401))
        checks.check("wrong token: it is not in the answer", WRONG_TOKEN not in answer.text, answer)
        checks.check("wrong token: it is not in the log", WRONG_TOKEN not in ours.text())
    wrong_path = base.replace("/v2", "/wrong")
    with service.Service(binary, environment=environment(wrong_path), name="aws-ilm-wrong-path") as ours:
        answer = ours.command("iam-disable-user", leaver)
        vendor = answer.json["IAM"]["Vendor"]
        checks.equal("wrong path: disable answers 502 and does not skip",
                     (answer.status, vendor["success"], vendor["skipped"], vendor["errorCode"]), (502, False, False, 404))


def main():
    """Starts both sides, runs all checks, stops both, and returns the exit code."""
    parser = argparse.ArgumentParser(description="Runs every command against a foreign SCIM 2.0 server.")
    parser.add_argument("--server", choices=sorted(LIMITATIONS), default="scim2")
    service.binary_argument(parser)
    options = parser.parse_args()

    checks = service.Checks()
    process, base = start(options.server)
    with process:
        foreign = Foreign(base)
        limited = {one.name for one in LIMITATIONS[options.server]}
        for one in LIMITATIONS[options.server]:
            print(f"limit {one.name}: {one.reason}")
            checks.check(f"the limitation still exists: {one.name}", one.still_so(foreign),
                         "the server can do it now: remove the entry, and the checks it holds back will run")
        with service.Service(options.binary, environment=environment(base)) as ours:
            with checks.section("the user commands"):
                third_party_users.run(checks, ours, foreign, limited)
            with checks.section("the group commands"):
                third_party_groups.run(checks, ours, foreign, limited)
            checks.check("the service stops by itself when asked to", ours.stop() == 0, ours.tail())
            log = ours.text()
            checks.check("the token is never in the log", TOKEN not in log)
            personal = sorted(value for value in third_party_users.PERSONAL if value in log)
            checks.check("no personal data is in the log", not personal, f"found {personal}")
        with checks.section("wrong settings"):
            check_wrong_settings(checks, options.binary, base)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
