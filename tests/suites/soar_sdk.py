#!/usr/bin/env python3
"""Asks demisto-sdk, XSOAR's own tool, about the integration of `deploy/soar/xsoar`: it unifies the
description and the script as it would for an upload, and its strict model reads the result. What the SDK
makes of it is what is uploaded by docs/xsoar.md, but for the lines that it adds itself. Needs PyPI, and git;
nothing is asked of any other server."""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import service
from soar import FOLDER, SERVERS_OWN, UNIFIED
from xsoar_runtime import yaml_subset

DEMISTO_SDK = "demisto-sdk==1.39.13"

PACK = {
    "name": "AWS-ILM Service",
    "description": "For the suite.",
    "support": "community",
    "currentVersion": "1.0.0",
    "author": "aws-ilm",
    "url": "",
    "email": "",
    "categories": ["Authentication & Identity Management"],
    "tags": [],
    "useCases": [],
    "keywords": [],
    "marketplaces": ["xsoar"],
    "created": "2026-01-01T00:00:00Z",
    "githubUser": [],
}
"""A pack as the SDK wants one around an integration."""

OWN_LINES = ("register_module_line(", "CONSTANT_PACK_VERSION = ", "demisto.debug('pack id = ")
"""Lines that the SDK writes into a script."""

OWN_FIELDS = {"display", "detaileddescription", "image"}
"""Fields that the SDK writes for a pack of the community, and in which the author is named."""

READ = """
import json, sys, yaml
from demisto_sdk.commands.content_graph.strict_objects.integration import StrictIntegration
document = yaml.safe_load(open(sys.argv[1]))
StrictIntegration.parse_obj(document)
print(json.dumps(document))
"""
"""Reads a file by the strict model, which raises where a key is unknown or missing."""


def main():
    """Runs the checks and returns the exit code."""
    parser = argparse.ArgumentParser(description="Asks demisto-sdk about the integration.")
    parser.add_argument("--binary", help="not used: nothing is run against the service here")
    parser.parse_args()
    checks = service.Checks()
    tool = service.python_tool("demisto-sdk", DEMISTO_SDK)
    with tempfile.TemporaryDirectory(prefix="aws-ilm-sdk-") as folder:
        with checks.section("the SDK"):
            unified = prepare(pathlib.Path(folder), tool)
            sdks = read(checks, tool, unified, "what demisto-sdk unifies")
            ours = read(checks, tool, UNIFIED, "the file to upload")
            if sdks and ours:
                check_same(checks, ours, sdks)
                checks.equal("our reader of YAML finds what theirs does", yaml_subset.load(UNIFIED.read_text()), ours)
            broken = pathlib.Path(folder) / "broken.yml"
            broken.write_text(UNIFIED.read_text().replace("  ismappable: true", "  ismapable: true"))
            done = strictly(tool, broken)
            checks.check(
                "the strict model sees a misspelt key", done.returncode != 0 and "ismapable" in done.stderr, done
            )
    return checks.finish()


def environment(folder):
    """Offline, and without the user's settings."""
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "DEMISTO_SDK_OFFLINE_ENV": "1",
        "CONTENT_PATH": str(folder),
        "DEMISTO_SDK_CONTENT_PATH": str(folder),
        "DEMISTO_SDK_SKIP_VERSION_CHECK": "1",
    }


def prepare(folder, tool):
    """Lays the integration out as the SDK's repository has it, and has it unified."""
    pack = folder / "Packs" / "AWSILMService"
    place = pack / "Integrations" / "AWSILMService"
    place.mkdir(parents=True)
    for name in ("AWSILMService.yml", "AWSILMService.py"):
        shutil.copy(FOLDER / name, place / name)
    (pack / "pack_metadata.json").write_text(json.dumps(PACK))
    (pack / "README.md").touch()
    # The SDK asks git where it is.
    for command in (
        ["init", "-q"],
        ["remote", "add", "origin", "https://github.com/demisto/content.git"],
        ["add", "-A"],
        ["-c", "user.name=suite", "-c", "user.email=suite@example.com", "commit", "-qm", "suite"],
    ):
        subprocess.run(["git", *command], cwd=folder, check=True, stdin=subprocess.DEVNULL, env=environment(folder))
    unified = folder / "unified.yml"
    done = subprocess.run(
        [tool, "prepare-content", "-i", place.relative_to(folder) / "AWSILMService.yml", "-o", unified],
        cwd=folder,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=environment(folder),
        timeout=300,
    )
    if done.returncode != 0 or not unified.exists():
        raise RuntimeError(f"prepare-content ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return unified


def strictly(tool, file):
    """Reads a file by the strict model."""
    return subprocess.run(
        [tool.parent / "python", "-c", READ, file],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=environment(file.parent),
        timeout=300,
    )


def read(checks, tool, file, name):
    """The document, if the strict model holds it."""
    done = strictly(tool, file)
    if checks.check(f"the strict model holds {name}", done.returncode == 0, done.stderr[-3000:]):
        return json.loads(done.stdout.splitlines()[-1])
    return None


def check_same(checks, ours, sdks):
    """That the file to upload is what the SDK makes, but for what the SDK adds."""
    for name in sorted((set(ours) | set(sdks)) - OWN_FIELDS - {"script"}):
        checks.equal(f"{name} is as demisto-sdk has it", ours.get(name), sdks.get(name))
    checks.check("the name that is shown is ours", sdks["display"].startswith(ours["display"]), sdks["display"])
    for key in sorted(set(ours["script"]) | set(sdks["script"])):
        of = [document["script"].get(key) for document in (ours, sdks)]
        if key == "script":
            of = [
                [line for line in text.split("\n") if line.strip() and not line.startswith(OWN_LINES + SERVERS_OWN)]
                for text in of
            ]
        checks.equal(f"script.{key} is as demisto-sdk has it", of[0], of[1])


if __name__ == "__main__":
    sys.exit(main())
