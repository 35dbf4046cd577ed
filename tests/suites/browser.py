#!/usr/bin/env python3
"""Opens `/docs` in a real browser, without a display, authorizes with a key and executes a command there as a person would.

    python3 tests/suites/browser.py [--screenshot target/ci/docs.png] [--binary target/debug/aws-ilm]

Debian's chromium and chromium-driver, spoken to in the WebDriver protocol (W3C), which is plain HTTP with JSON. The page
must show the command's answer, load nothing from another host, leave no error in the console, and be such that a person
can read it: no operation is a scroll of pages, nothing is preset that would be sent, and it fits on a phone.
"""

import argparse
import base64
import json
import pathlib
import shutil
import sys
import tempfile
import time
import urllib.parse

import service

COMMAND = "iam-get-user"
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
"""The key of an element's reference in every WebDriver answer (W3C WebDriver, section 12.2)."""

WAIT_SECONDS = 30

DESK = (1280, 1000)
PHONE = (390, 844)
"""Screens, in CSS pixels."""

HIGHEST = 3470
"""How high an open operation may be on a desk, in CSS pixels: a third of what it was when every status had its example."""

CHROMIUM_FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--no-proxy-server",
    "--window-size=1400,1600",
]


class Browser:
    """A WebDriver session; ends with the `with` block that holds it."""

    def __init__(self, driver, home):
        self._driver = driver
        options = {"args": [*CHROMIUM_FLAGS, f"--user-data-dir={home}"], "binary": shutil.which("chromium")}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        started = service.request("POST", f"{driver}/session", {"capabilities": {"alwaysMatch": wanted}})
        if started.status != 200:
            raise RuntimeError(f"no browser: {started}")
        self._session = f"{driver}/session/{started.json['value']['sessionId']}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        service.request("DELETE", self._session)

    def call(self, method, path, body=None):
        """Sends one WebDriver command and returns its value; raises with the driver's message."""
        answer = service.request(method, self._session + path, body if method == "GET" else body or {})
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.json['value']['message'] if answer.json else answer}")
        return answer.json["value"]

    def open(self, url):
        """Opens a page and waits until it has loaded."""
        self.call("POST", "/url", {"url": url})

    def run(self, script):
        """Runs JavaScript in the page and returns what it returns."""
        return self.call("POST", "/execute/sync", {"script": script, "args": []})

    def find(self, selector):
        """Waits for an element that can be seen and returns its reference."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            found = self.call("POST", "/elements", {"using": "css selector", "value": selector})
            for one in found:
                if self.call("GET", f"/element/{one[ELEMENT]}/displayed"):
                    return one[ELEMENT]
            time.sleep(0.1)
        raise RuntimeError(f"nothing on the page matches {selector!r}")

    def click(self, selector):
        """Waits for an element, brings it into view and clicks it."""
        element = self.find(selector)
        self.run(f"document.querySelector({json.dumps(selector)}).scrollIntoView({{block: 'center'}})")
        self.call("POST", f"/element/{element}/click")

    def type(self, selector, text):
        """Waits for an input and types into it."""
        self.call("POST", f"/element/{self.find(selector)}/value", {"text": text})

    def text(self, selector):
        """The visible text of an element."""
        return self.call("GET", f"/element/{self.find(selector)}/text")

    def screen(self, width, height):
        """Makes the screen this large, and a phone's when it is narrow."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.call("POST", "/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride", "params": metrics})

    def width(self):
        """How wide all that is on the page is; more than the screen's width means scrolling sideways."""
        return self.run("return document.documentElement.scrollWidth")

    def screenshot_of_all(self, path, screen):
        """Saves the whole page as a PNG, as it is on a screen of this width."""
        self.screen(screen[0], min(self.run("return document.documentElement.scrollHeight"), 10_000))
        self.screenshot(path)
        self.screen(*screen)

    def screenshot(self, path):
        """Saves what is seen now as a PNG."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(self.call("GET", "/screenshot")))

    def console(self):
        """The console's messages since the last time, as (level, text)."""
        return [(entry["level"], entry["message"]) for entry in self.call("POST", "/se/log", {"type": "browser"})]


def block_selector(document):
    """Where Swagger UI puts the command: its block's id ends in the operation's id."""
    operation = document["paths"][f"/commands/{COMMAND}"]["post"]["operationId"]
    return f".opblock[id$={json.dumps('-' + operation)}]"


def authorize(checks, browser, caller):
    """Presses the Authorize button and puts the caller's key in, as a person would."""
    browser.click(".auth-wrapper .btn.authorize")
    browser.type("#api_key_value", caller.key)
    # Each way has a form of its own; this is the first.
    browser.click(".auth-container button.authorize[aria-label='Apply credentials']")
    browser.click(".dialog-ux .btn-done")
    locked = browser.run("return document.querySelectorAll('.auth-wrapper .btn.authorize.locked').length")
    checks.check("the Authorize button shows that there are credentials", locked > 0, locked)


def refused(checks, browser, block):
    """Executes without credentials, and looks for the refusal on the page."""
    browser.click(f"{block} .execute")
    status = browser.text(f"{block} .live-responses-table .response .response-col_status").split()[0]
    checks.equal("without credentials the page shows the refusal", status, "401")
    browser.click(f"{block} .btn-clear")
    # The browser notes every failed request in its console; these were meant to fail.
    expected = [text for _, text in browser.console() if "401" in text]
    checks.check("the console tells of it", expected, expected)


def walk(checks, browser, ours, caller, screenshot):
    """Opens the page, is refused, authorizes, executes the command, and looks at the answer."""
    document = service.request("GET", f"{ours.url}/openapi.json").json
    block = block_selector(document)
    browser.open(f"{ours.url}/docs")
    browser.find(block)
    shown = browser.run("return document.querySelectorAll('.opblock').length")
    checks.check(f"the page shows the operations ({shown})", shown >= len(document["paths"]), shown)

    browser.click(f"{block} .opblock-summary-control")
    browser.click(f"{block} .try-out__btn")
    sent = browser.run(f"return document.querySelector({json.dumps(block + ' textarea')}).value")
    checks.check("the body is filled in with an example", "user-profile" in json.loads(sent), sent)
    refused(checks, browser, block)
    authorize(checks, browser, caller)
    browser.click(f"{block} .execute")
    # The answer that came, not the ones that the document promises: those stand in another table.
    live = f"{block} .live-responses-table .response"
    status = browser.text(f"{live} .response-col_status").split()[0]
    checks.equal("the answer's status is on the page", status, "200")
    shown = browser.text(f"{live} .highlight-code code")
    try:
        vendor = json.loads(shown)["IAM"]["Vendor"]
    except (ValueError, KeyError) as broken:
        vendor = {}
        checks.check("the answer on the page is an envelope", False, f"{broken!r}\n{shown}")
    checks.equal("the answer on the page is a success of the command", (vendor.get("action"), vendor.get("success")),
                 ("get", True))
    browser.run(f"document.querySelector({json.dumps(live)}).scrollIntoView({{block: 'center'}})")
    browser.screenshot(screenshot)
    checks.check(f"a screenshot is in {screenshot}", screenshot.stat().st_size > 10_000)

    addresses = browser.run("return performance.getEntries().map(entry => entry.name)")
    own = urllib.parse.urlsplit(ours.url).netloc
    # Marks and measures are entries too, with names that are no addresses; `data:` and `blob:` reach no host.
    loaded = [one for one in addresses if urllib.parse.urlsplit(one).netloc]
    foreign = [one for one in loaded if urllib.parse.urlsplit(one).netloc != own]
    checks.check(f"all {len(loaded)} things loaded came from the service", loaded and not foreign, foreign)
    errors = [text for level, text in browser.console() if level == "SEVERE"]
    checks.check("the console has no errors", not errors, "\n".join(errors))


def readable(checks, browser, ours, screenshot):
    """Opens the page on a desk, and each operation of it."""
    document = service.request("GET", f"{ours.url}/openapi.json").json
    block = block_selector(document)
    browser.screen(*DESK)
    browser.open(f"{ours.url}/docs/")
    browser.find(block)
    checks.equal("the tab has the product's name", browser.run("return document.title"), "aws-ilm")
    boxes = browser.run("return document.querySelectorAll('.topbar, .download-url-wrapper').length")
    checks.equal("there is no box to load another document", boxes, 0)

    browser.click(f"{block} .opblock-summary-control")
    browser.find(f"{block} .responses-table")
    browser.screenshot_of_all(screenshot.with_suffix(".open.png"), DESK)
    browser.click(f"{block} .try-out__btn")
    fields = json.dumps(f"{block} .parameters input, {block} .parameters select")
    preset = browser.run(f"return [...document.querySelectorAll({fields})].map(field => field.value)")
    checks.check("no parameter is preset", len(preset) > 3 and not any(preset), preset)
    body = browser.run(f"return document.querySelector({json.dumps(block + ' textarea')}).value")
    checks.check("the body is preset", body.strip(), body)
    browser.click(f"{block} .try-out__btn")
    browser.run(f"document.querySelectorAll({json.dumps(block + ' .opblock-section-request-body .tablinks')})[1].click()")
    browser.find(f"{block} .opblock-section-request-body .json-schema-2020-12")
    schema = browser.text(f"{block} .opblock-section-request-body")
    checks.check("the schema names the fields of a person", "givenname" in schema, schema)
    browser.click(f"{block} .opblock-summary-control")

    heights = {}
    for methods in document["paths"].values():
        for operation in methods.values():
            one = f".opblock[id$={json.dumps('-' + operation['operationId'])}]"
            browser.click(f"{one} .opblock-summary-control")
            browser.find(f"{one} .responses-table")
            found = browser.run(f"return document.querySelector({json.dumps(one)}).getBoundingClientRect().height")
            heights[operation["operationId"]] = round(found)
            browser.click(f"{one} .opblock-summary-control")
    highest = max(heights, key=heights.get)
    checks.check(f"the highest open operation, {highest}, has {heights[highest]} px, at most {HIGHEST}",
                 heights[highest] <= HIGHEST, heights)


def on_a_phone(checks, browser, ours, caller, screenshot):
    """Executes the command on a phone, and opens the pages of problems there."""
    block = block_selector(service.request("GET", f"{ours.url}/openapi.json").json)
    browser.screen(*PHONE)
    browser.open(f"{ours.url}/docs/")
    authorize(checks, browser, caller)
    browser.click(f"{block} .opblock-summary-control")
    browser.click(f"{block} .try-out__btn")
    browser.click(f"{block} .execute")
    browser.find(f"{block} .live-responses-table .response .highlight-code code")
    checks.check(f"after Execute the page is {browser.width()} px wide", browser.width() <= PHONE[0])
    browser.screenshot_of_all(screenshot.with_suffix(".phone.png"), PHONE)
    for page in ("/problems", "/problems/unsupported-media-type"):
        browser.open(ours.url + page)
        checks.check(f"{page} is {browser.width()} px wide", browser.width() <= PHONE[0])
        browser.screenshot(screenshot.with_suffix(f"{page.replace('/', '.')}.png"))
    browser.console()


def main():
    """Starts the service, the driver and the browser; returns the exit code."""
    parser = argparse.ArgumentParser(description="Executes a command in Swagger UI, in a real browser.")
    parser.add_argument("--screenshot", type=pathlib.Path, default=service.WORK / "docs.png")
    service.binary_argument(parser)
    options = parser.parse_args()
    for program in ("chromium", "chromedriver"):
        if not shutil.which(program):
            sys.exit(f"{program} is not installed (Debian: apt-get install chromium chromium-driver)")

    checks = service.Checks()
    port = service.free_port()
    driver = f"http://127.0.0.1:{port}"
    with service.Caller(options.binary, "browser") as caller, \
            service.Service(options.binary, ["--sandbox"], caller.environment, name="aws-ilm-browser") as ours, \
            service.Process("chromedriver", ["chromedriver", f"--port={port}"]) as process, \
            tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        process.wait_for(f"{driver}/status", lambda answer: answer.status == 200)
        with Browser(driver, home) as browser:
            for name, look in (
                    ("the walk through the page", lambda: walk(checks, browser, ours, caller, options.screenshot)),
                    ("reading on a desk", lambda: readable(checks, browser, ours, options.screenshot)),
                    ("reading on a phone", lambda: on_a_phone(checks, browser, ours, caller, options.screenshot))):
                with checks.section(name):
                    try:
                        look()
                    except Exception:
                        browser.screenshot(options.screenshot.with_suffix(".failed.png"))
                        print(*browser.console(), sep="\n")
                        raise
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
