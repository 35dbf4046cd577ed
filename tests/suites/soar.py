#!/usr/bin/env python3
"""Holds what SOAR people import (`deploy/soar`) and what they read (docs/playbooks.md, docs/xsoar.md) against
the real service: the XSOAR integration command by command under a stand-in of XSOAR's runtime, the stories of
Tines and n8n step by step, and every request of the pages. `--renew` writes the file that is uploaded to
XSOAR anew.

Not tried here: XSOAR, Tines, n8n, Power Automate and PowerShell themselves. demisto-sdk's opinion is asked by
soar_sdk.py.
"""

import argparse
import sys

import service
import soar_cases
import soar_deferred
import soar_n8n
import soar_pages
import soar_refusals
import soar_switches
import soar_tines
from xsoar_runtime import yaml_subset

FOLDER = service.ROOT / "deploy" / "soar" / "xsoar"
UNIFIED = FOLDER / "integration-AWSILMService.yml"

SERVERS_OWN = ("import demistomock as demisto", "from CommonServerPython import *")
"""Imports that XSOAR's server has made before a script begins; demisto-sdk takes them out as well."""


USER_OUTPUTS = "active brand details email errorCode errorMessage id instanceName success username"
GROUP_OUTPUTS = "id displayName success errorCode errorMessage"
ORIGINAL = {
    "iam-create-user": ("user-profile allow-enable", "IAM.Vendor", USER_OUTPUTS),
    "iam-update-user": ("user-profile allow-enable", "IAM.Vendor", USER_OUTPUTS),
    "iam-get-user": ("user-profile", "IAM.Vendor", USER_OUTPUTS),
    "iam-disable-user": ("user-profile", "IAM.Vendor", USER_OUTPUTS),
    "iam-get-group": ("scim", "GetGroup", f"{GROUP_OUTPUTS} members.display members.value"),
    "iam-create-group": ("scim", "CreateGroup", GROUP_OUTPUTS),
    "iam-update-group": ("scim memberIdsToAdd memberIdsToDelete", "UpdateGroup", GROUP_OUTPUTS),
    "iam-delete-group": ("scim", "DeleteGroup", GROUP_OUTPUTS),
}
"""The original's commands, with their arguments, the first of which is required, and their outputs."""

FORM = {
    "url": (0, True, None),
    "credentials": (9, False, None),
    "mapper_in": (0, True, None),
    "mapper_out": (0, True, None),
    "create_user_enabled": (8, False, "true"),
    "update_user_enabled": (8, False, "true"),
    "enable_user_enabled": (8, False, "true"),
    "disable_user_enabled": (8, False, "true"),
    "create_if_not_exists": (8, False, "true"),
    "asynchronous": (8, False, "false"),
    "insecure": (8, False, "false"),
    "proxy": (8, False, "false"),
}
"""The form's fields: type, whether it is required, and for switches the default, which is a text."""


def unified():
    """The file that is uploaded: the integration's description with its script inside."""
    description = (FOLDER / "AWSILMService.yml").read_text()
    script = (FOLDER / "AWSILMService.py").read_text().split("\n")
    script = [line for line in script if not line.startswith(SERVERS_OWN)]
    block = "\n".join(f"    {line}" if line else "" for line in script).rstrip()
    assert description.count("\n  script: '-'\n") == 1
    return description.replace("\n  script: '-'\n", f"\n  script: |\n{block}\n")


def check_unified(checks):
    """That the file to upload is current, and is what the runtime takes it for."""
    checks.equal("the file to upload is current (python3 tests/suites/soar.py --renew)", UNIFIED.read_text(), unified())
    document = yaml_subset.load(UNIFIED.read_text())
    script = document["script"]
    checks.check("it can be mapped, and mirrors outwards", script["ismappable"] and script["isremotesyncout"], script)
    checks.equal("its category is the original's", document["category"], "Authentication & Identity Management")
    commands = {command["name"]: command for command in script["commands"]}
    added = set(commands) - set(ORIGINAL)
    checks.equal("it has the original's commands, and more", added, {"iam-operation-get", "get-mapping-fields"})
    for name, (arguments, prefix, outputs) in ORIGINAL.items():
        command = commands[name]
        own = {argument["name"]: argument for argument in command["arguments"]}
        first, *others = arguments.split()
        checks.check(
            f"{name} has the original's arguments", {first, *others} <= set(own) and own[first]["required"], own
        )
        more = [argument for argument in own.values() if argument["name"] != first and argument.get("required")]
        checks.equal(f"{name} wants no others", more, [])
        paths = {output["contextPath"] for output in command["outputs"]}
        checks.equal(
            f"{name} has the original's outputs", {f"{prefix}.{one}" for one in outputs.split()} - paths, set()
        )
        lists = {argument["name"] for argument in own.values() if argument.get("isArray")}
        checks.equal(f"{name}: members alone are lists", lists, set(others) if "memberIdsToAdd" in others else set())
        checks.equal(f"{name}: what changes a directory polls", bool(command.get("polling")), "-get-" not in name)
        checks.equal(
            f"{name}: user commands ask before they run", bool(command.get("execution")), name.endswith("user")
        )
    form = {field["name"]: field for field in document["configuration"]}
    for name, (kind, is_required, default) in FORM.items():
        field = form[name]
        found = (field["type"], field["required"], field.get("defaultvalue") if kind == 8 else None)
        checks.equal(f"the form's {name} is as it has to be", found, (kind, is_required, default))


def main():
    """Runs all parts and returns the exit code."""
    parser = argparse.ArgumentParser(description="Holds what SOAR people import against the service.")
    service.binary_argument(parser)
    parser.add_argument("--renew", action="store_true", help="write the file to upload anew, and test nothing")
    options = parser.parse_args()
    if options.renew:
        UNIFIED.write_text(unified())
        return 0
    checks = service.Checks()
    with checks.section("the file to upload"):
        check_unified(checks)
    for name, part in (
        ("cases", soar_cases),
        ("switches", soar_switches),
        ("deferred", soar_deferred),
        ("refusals", soar_refusals),
        ("Tines", soar_tines),
        ("n8n", soar_n8n),
        ("pages", soar_pages),
    ):
        with checks.section(name):
            part.run(checks, options.binary, unified())
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
