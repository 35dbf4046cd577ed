#!/usr/bin/env python3
"""A real Prometheus scrapes the service; the rules that alert, and the dashboard, name what is in the scrape.

    python3 tests/suites/metrics.py [--binary target/debug/aws-ilm]

Needs Debian's `prometheus`, which has `promtool` (`.ci/run` installs it). Without it the suite says so and ends
with 77, but fails where `CI` is set. Everything listens on the loopback; logs are left in `target/ci`.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse

import service
from service import ROOT, WORK, Checks, Directory, Process, Service, free_port, request

PROMETHEUS = ROOT / "deploy" / "prometheus"
RULES = PROMETHEUS / "aws-ilm.rules.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "aws-ilm.json"
PAGE = ROOT / "docs" / "metrics.md"

METRIC = re.compile(r"\b(?:aws_ilm|http_server|http_client)_[a-z_]+")
"""A metric's name in an expression."""

NOT_SCRAPED = "aws_ilm_webhook_"
"""Metrics that a service without sources does not have; the page tells of them."""

PATIENCE = 30
"""Seconds that a scrape may be waited for; one takes a second."""

SEED = {"users": [{"id": f"u-{name}", "userName": name, "displayName": name, "active": True,
                   "name": {"givenName": name, "familyName": name}} for name in ("kim", "lee")]}


def run(*command, text=None):
    """Runs a program to its end: whether it succeeded, and all that it printed."""
    ended = subprocess.run([str(part) for part in command], input=text, capture_output=True, text=True, timeout=120)
    return ended.returncode == 0, ended.stdout + ended.stderr


def series(name):
    """The name of the metric that a series belongs to."""
    return re.sub(r"_(bucket|count|sum)$", "", name)


def expressions():
    """Each expression of the dashboard with its panel's title, variables filled in."""
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"].replace("$__rate_interval", "5m").replace("$instance", ".*")


def check_files(checks):
    """The rules and the dashboard, without a service."""
    checks.check("the rules are well-formed", *run("promtool", "check", "rules", RULES))
    for tests in sorted(PROMETHEUS.glob("*.test.yml")):
        checks.check(f"the rules alert as {tests.name} says", *run("promtool", "test", "rules", tests))
    rules = [{"record": f"panel:{number}", "expr": expr} for number, (_, expr) in enumerate(expressions())]
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        # JSON is YAML.
        json.dump({"groups": [{"name": "dashboard", "rules": rules}]}, file)
        file.flush()
        checks.check(f"the {len(rules)} expressions of the dashboard are well-formed",
                     *run("promtool", "check", "rules", file.name))


def check_names(checks, scraped):
    """That the rules, the dashboard and the page name what is in the scrape."""
    told = {series(name) for name in re.findall(r"^\| `([a-z_]+)` \|", PAGE.read_text(), re.MULTILINE)}
    is_there = {series(name) for name in scraped}
    named = {"the rules": RULES.read_text(), "the dashboard": "\n".join(expr for _, expr in expressions())}
    for where, text in named.items():
        names = {series(name) for name in METRIC.findall(text)} - {series(name) for name in ("aws_ilm",)}
        missing = {name for name in names if name not in is_there and not name.startswith(NOT_SCRAPED)}
        checks.equal(f"every metric that {where} name is in the scrape", sorted(missing), [])
        checks.equal(f"every metric that {where} name is on the page", sorted(names - told), [])
    shown = {series(name) for name in METRIC.findall(named["the dashboard"])}
    checks.equal("every metric of the page is on the dashboard", sorted(told - shown), [])


class Prometheus(Process):
    """Prometheus, which scrapes each of these jobs every second."""

    def __init__(self, jobs):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        WORK.mkdir(parents=True, exist_ok=True)
        self.data = tempfile.mkdtemp(prefix="prometheus-", dir=WORK)
        config = WORK / "prometheus.json"
        config.write_text(json.dumps({"global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
                                      "rule_files": [str(RULES)], "scrape_configs": jobs}))
        super().__init__("prometheus", ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={self.data}",
                                        f"--web.listen-address=127.0.0.1:{port}"])
        self.wait_for(f"{self.url}/-/ready", lambda answer: answer.status == 200)

    def __exit__(self, *exception):
        super().__exit__(*exception)
        shutil.rmtree(self.data, ignore_errors=True)

    def query(self, expression):
        """The result of an expression; raises when it has none because it is wrong."""
        answer = request("GET", f"{self.url}/api/v1/query?{urllib.parse.urlencode({'query': expression})}")
        if answer.status != 200:
            raise RuntimeError(f"{expression}: {answer!r}")
        return answer.json["data"]["result"]

    def value(self, expression, wanted):
        """The value of an expression, once it is as wanted or patience is over."""
        deadline, found = time.monotonic() + PATIENCE, None
        while time.monotonic() < deadline:
            result = self.query(expression)
            found = float(result[0]["value"][1]) if result else None
            if found == wanted:
                break
            time.sleep(0.2)
        return found


def job(name, url, key=None):
    """A job that scrapes this service, with a key if it has one."""
    found = {"job_name": name, "static_configs": [{"targets": [url.removeprefix("http://")]}]}
    return {**found, "authorization": {"credentials": key}} if key else found


def use(checks, served, key):
    """Has every metric counted: commands that are carried out at once and later, and a failure."""
    headers = {"X-API-Key": key}
    for name, command in (("kim", "iam-disable-user"), ("lee", "iam-update-user")):
        answer = served.command(command, {"user-profile": {"username": name, "title": "Chief"}}, headers=headers)
        checks.equal(f"{command} is carried out", answer.status, 200)
    later = {**headers, "Prefer": "respond-async"}
    answer = served.command("iam-disable-user", {"user-profile": {"username": "lee"}}, headers=later)
    checks.equal("a disable is stored", answer.status, 202)
    waited = request("GET", f"{served.url}/operations/{answer.json['id']}/wait", headers=headers)
    checks.equal("and carried out", waited.json and waited.json["state"], "done")


def check_scrapes(checks, binary):
    """A service with callers, and what Prometheus gets of it."""
    open_port = free_port()
    store = WORK / "metrics.db"
    for file in WORK.glob("metrics.db*"):
        file.unlink()
    with Directory(binary, SEED, "metrics-directory") as directory, service.Caller(binary, "metrics") as caller:
        directory.script([{"api": "PatchUser", "kind": {"status": {"status": 503}}}])
        environment = {**directory.environment, **caller.environment, "AWS_ILM_STORE_PATH": str(store),
                       "AWS_ILM_METRICS_LISTEN": f"127.0.0.1:{open_port}",
                       "AWS_ILM_AUTHENTICATION_TOKEN_EXPIRES": "2099-01-01"}
        with Service(binary, environment=environment, name="metrics-service") as served:
            jobs = [job("keyed", served.url, caller.key), job("open", f"http://127.0.0.1:{open_port}"),
                    job("refused", served.url)]
            with Prometheus(jobs) as prometheus:
                use(checks, served, caller.key)
                for name, up in (("keyed", 1), ("open", 1), ("refused", 0)):
                    checks.equal(f"the job {name} is {'up' if up else 'down'}", prometheus.value(f'up{{job="{name}"}}', up),
                                 up)
                for name in ("keyed", "open"):
                    leavers = f'sum(aws_ilm_leaver_seconds_count{{job="{name}"}})'
                    checks.equal(f"two leavers are in the series of {name}", prometheus.value(leavers, 2), 2)
                is_typed = request("GET", f"{prometheus.url}/api/v1/metadata?metric=aws_ilm_leaver_seconds").json["data"]
                checks.equal("Prometheus knows its kind", is_typed["aws_ilm_leaver_seconds"][0]["type"], "histogram")
                for title, expr in expressions():
                    prometheus.query(expr)
                checks.check("every expression of the dashboard is answered", True)
                groups = request("GET", f"{prometheus.url}/api/v1/rules").json["data"]["groups"]
                health = {rule["health"] for group in groups for rule in group["rules"]}
                checks.check("Prometheus evaluates the rules", health <= {"ok", "unknown"}, health)
                # The classes of what waits are told by the first look at the store.
                prometheus.value('sum(aws_ilm_operations_waiting{job="open"})', 0)
            scrape = request("GET", f"http://127.0.0.1:{open_port}/metrics").text
            names = {re.split(r"[{ ]", line)[0] for line in scrape.splitlines() if not line.startswith("#")}
            check_names(checks, names)
            checks.check("promtool finds nothing amiss with the text",
                         *run("promtool", "check", "metrics", text=scrape))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    service.binary_argument(parser)
    arguments = parser.parse_args()
    missing = [program for program in ("prometheus", "promtool") if shutil.which(program) is None]
    if missing:
        print(f"{' and '.join(missing)} not installed (apt-get install prometheus): NOTHING of the metrics is checked here")
        return 1 if os.environ.get("CI") else service.NOT_DONE
    checks = Checks()
    with checks.section("the files"):
        check_files(checks)
    with checks.section("the scrape"):
        check_scrapes(checks, arguments.binary)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
