#!/usr/bin/env python3
"""Asks n8n's own code about the workflows of `deploy/soar/n8n`: whether its node types know every parameter,
and what their expressions and conditions give in every scenario of soar_stories.py, run against the service.
Needs node and npm. n8n itself is not started: its packages want a file that is on no registry."""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile

import service
from soar_n8n import FOLDER, Workflow
from soar_stories import run_all

NODES_BASE = "n8n-nodes-base@1.82.0"


class N8nReader:
    """n8n's reader of expressions and conditions, in a process of its own."""

    def __init__(self, home):
        self._home = home

    def __enter__(self):
        self._node = subprocess.Popen(
            ["node", "engine.cjs"], cwd=self._home, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *_):
        self._node.stdin.close()
        self._node.wait(service.STOP_SECONDS)

    def ask(self, **question):
        """The answer to one question."""
        self._node.stdin.write(f"{json.dumps(question)}\n")
        self._node.stdin.flush()
        answer = json.loads(self._node.stdout.readline())
        if isinstance(answer, dict) and "engine_error" in answer:
            raise RuntimeError(f"n8n: {answer['engine_error']}: {question.get('value')}")
        return answer

    def filled(self, text, place):
        """A parameter with its expressions evaluated."""
        return self.ask(do="value", value=text, **place)

    def holds(self, conditions, place):
        """Whether the conditions of a switch's output hold."""
        return self.ask(do="filter", value=conditions, **place)


def install():
    """Installs n8n's packages; the one of its nodes is unpacked without what it depends on, of which four
    need little."""
    home = service.WORK / "n8n"
    home.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "engine.cjs"):
        shutil.copy(service.ROOT / "tests" / "suites" / "n8n_engine" / name, home)
    options = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    subprocess.run(["npm", "install", *options], cwd=home, check=True, stdin=subprocess.DEVNULL)
    unpacked = home / "nodes-base"
    if not (unpacked / "package" / "package.json").exists():
        unpacked.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="aws-ilm-n8n-") as folder:
            packed = ["npm", "pack", "--loglevel=error", "--pack-destination", folder, NODES_BASE]
            file = subprocess.run(packed, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout
            shutil.unpack_archive(f"{folder}/{file.split()[-1]}", unpacked, filter="data")
    return home


def check_nodes(checks, reader):
    """That n8n's node types know the version and the parameters of every node, and miss none."""
    for file in sorted(FOLDER.glob("*.json")):
        nodes = json.loads(file.read_text())["nodes"]
        nodes = [node for node in nodes if not node["type"].endswith("stickyNote")]
        for node in nodes:
            told = reader.ask(do="judge", node=node)
            expected = {"knows_version": True, "unknown": [], "issues": None}
            checks.equal(f"n8n knows all of {file.stem}: {node['name']}", told, expected)
    broken = {**nodes[0], "parameters": {**nodes[0]["parameters"], "pathh": "x"}}
    checks.equal("n8n sees a misspelt parameter", reader.ask(do="judge", node=broken)["unknown"], ["pathh"])


def main():
    """Runs the checks and returns the exit code."""
    parser = argparse.ArgumentParser(description="Asks n8n's own code about the workflows.")
    service.binary_argument(parser)
    options = parser.parse_args()
    if not shutil.which("npm") or not shutil.which("node"):
        print("node and npm are not installed: n8n's code is not asked here")
        return service.NOT_DONE
    checks = service.Checks()
    with checks.section("n8n"), N8nReader(install()) as reader:
        check_nodes(checks, reader)
        run_all(checks, options.binary, "n8n", FOLDER, lambda document, send: Workflow(document, send, reader))
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
