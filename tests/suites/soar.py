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
    names = [command["name"] for command in script["commands"]]
    checks.equal(
        "its commands are the original's, and one more",
        names,
        [
            "iam-create-user",
            "iam-update-user",
            "iam-get-user",
            "iam-disable-user",
            "iam-get-group",
            "iam-create-group",
            "iam-update-group",
            "iam-delete-group",
            "iam-operation-get",
            "get-mapping-fields",
        ],
    )


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
