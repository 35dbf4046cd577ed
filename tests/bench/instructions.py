#!/usr/bin/env python3
"""Counts the user-space instructions that one `iam-get-user` costs: ours beside those of a bare program.

    python3 tests/bench/instructions.py [--rounds 2] [--as-shipped] [--watched] [--built target/release]

The bare program (`bare.rs`) does the same work on the same axum, reqwest and serde_json, so the ratio is what
everything else of the service costs, and most of it is free of the machine and of the versions of those crates.
Both ask a directory (`directory.rs`) that is a process of its own, and both are asked over one connection that is
kept alive. Needs cargo and valgrind (`apt-get install valgrind`), and Python's standard library alone; logs are
left in `target/ci`. A round takes a minute or two.

A figure is the difference of two whole runs under callgrind, one with many requests and one with few, divided by
the difference of their requests: starting, warming up and stopping cost the same in both and fall out.

What is built is the release profile, just as it is shipped: LTO and one codegen unit change the figure, stripped
symbols do not. One cargo command builds all three programs, so that they share each dependency with its features.

`--watched` takes the figures of the service alone: as it is by default, with its log as JSON, without a line of log, and
with traces that a collector takes. Metrics are always counted; what they cost is the difference to a build without.

The runtime has one worker thread: with several, how often they wake each other depends on the scheduler.

glibc's allocator is told to keep whatever small piece is freed in the thread's cache. As shipped, it merges and
splits free pieces, how often depends on all that was allocated before, and a hair's difference in time sends two
runs different ways: 0.3 % of noise, which hides what a change saves. `--as-shipped` leaves it as it is: a tenth
more instructions for the service, and a figure to be taken many times.

The noise that is left comes from timers, which go by the clock while valgrind makes the programs some fifty times
slower, and from hash maps, whose seeds are random. It has stayed below 0.1 %; the last line shows it.
"""

import argparse
import http.server
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "suites"))

import service  # noqa: E402: it is found by the line above

FEW = 500
MANY = 2_500
BODY = b'{"user-profile": {"username": "test"}}'
REQUEST = (b"POST /commands/iam-get-user HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
           b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY))
LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)
COLLECTED = re.compile(r"Collected : (\d+)")
ONE_WORKER = {"TOKIO_WORKER_THREADS": "1"}
# glibc manual, "Memory Allocation Tunables": the most pieces that a cache may hold, and no other fast lists.
STEADY_ALLOCATOR = {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=65535:glibc.malloc.mxfast=0"}


def build():
    """Builds the three programs and returns the folder where cargo puts them."""
    subprocess.run(["cargo", "build", "--release", "--locked", "--bin", "aws-ilm", "--example", "bench-bare",
                    "--example", "bench-directory"], cwd=ROOT, check=True, stdin=subprocess.DEVNULL)
    return ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "release"


def wait_for_port(process, port):
    """Waits until a process listens, without sending it a request that would be counted."""
    deadline = time.monotonic() + service.START_SECONDS
    while time.monotonic() < deadline:
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.1)
    raise RuntimeError(f"{process.name} does not listen after {service.START_SECONDS} s:\n{process.tail()}")


def ask(port, requests):
    """Sends so many requests, one after the other, over one connection.

    A request goes out in one piece: how many a server has to put together would otherwise be left to chance.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        for _ in range(requests):
            connection.sendall(REQUEST)
            head, _, body = connection.recv(65_536).partition(b"\r\n\r\n")
            length = LENGTH.search(head + b"\r\n")
            while length and len(body) < int(length[1]) and (more := connection.recv(65_536)):
                body += more
            if not head.startswith(b"HTTP/1.1 200 ") or b'"username":"test"' not in body:
                raise RuntimeError(f"this is no user: {head + body!r}")


def instructions(name, command, environment, port, requests):
    """The user-space instructions of a whole run of a program that is sent so many requests."""
    log = service.WORK / f"{name}.callgrind.log"
    valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", f"--log-file={log}"]
    with service.Process(name, valgrind + command, environment) as process:
        wait_for_port(process, port)
        ask(port, requests)
        # By SIGTERM: the service ends by itself, the bare program by the signal; valgrind counts either.
        if process.stop() is None:
            raise RuntimeError(f"{name} did not end:\n{process.tail()}")
    return int(COLLECTED.search(log.read_text("utf-8"))[1])


def figure(*program):
    """Instructions a request."""
    few, many = (instructions(*program, requests) for requests in (FEW, MANY))
    return (many - few) / (MANY - FEW)


def measure(built, rounds, environment):
    """Prints a table of both programs' figures, a line a round, and how far the rounds are apart."""
    there, port = service.free_port(), service.free_port()
    base = f"http://127.0.0.1:{there}/bench/scim/v2/"
    listen = f"127.0.0.1:{port}"
    # Everything else is as shipped, the access log included. At this rate no request waits for its turn.
    settings = {"AWS_ILM_URL": base, "AWS_ILM_AUTHENTICATION_TOKEN": "bench", "AWS_ILM_READ_RATE": "100000"}
    ours = ("bench-ours", [built / "aws-ilm", "serve", "--listen", listen], environment | settings, port)
    bare = ("bench-bare", [built / "examples" / "bench-bare", listen, base], environment, port)
    figures = []
    print(f"{'instructions a request':<24}{'ours':>10}{'bare':>10}{'ratio':>8}")
    with service.Process("bench-directory", [built / "examples" / "bench-directory", f"127.0.0.1:{there}"]) as directory:
        wait_for_port(directory, there)
        for number in range(1, rounds + 1):
            one, other = figure(*ours), figure(*bare)
            figures.append((one, other, one / other))
            print(f"{f'round {number}':<24}{one:>10,.0f}{other:>10,.0f}{one / other:>8.3f}", flush=True)
    apart = [(max(column) - min(column)) / min(column) for column in zip(*figures)]
    print(f"{'the rounds are apart by':<24}{apart[0]:>10.2%}{apart[1]:>10.2%}{apart[2]:>8.2%}")


class Collector(http.server.BaseHTTPRequestHandler):
    """Takes traces, and forgets them."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def measure_watched(built, rounds, environment):
    """Prints what the log and traces cost the service, a line a way of watching it."""
    there, port = service.free_port(), service.free_port()
    base = f"http://127.0.0.1:{there}/bench/scim/v2/"
    listen = f"127.0.0.1:{port}"
    settings = {"AWS_ILM_URL": base, "AWS_ILM_AUTHENTICATION_TOKEN": "bench", "AWS_ILM_READ_RATE": "100000"}
    collector = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{collector.server_address[1]}"
    ways = {"by default": {}, "the log as JSON": {"AWS_ILM_LOG_FORMAT": "json"}, "no log": {"AWS_ILM_LOG_FILTER": "off"},
            "with traces": {"AWS_ILM_OTLP_ENDPOINT": endpoint}}
    command = [built / "aws-ilm", "serve", "--listen", listen]
    print(f"{'instructions a request':<24}{'':>12}{'more':>10}")
    with service.Process("bench-directory", [built / "examples" / "bench-directory", f"127.0.0.1:{there}"]) as directory:
        wait_for_port(directory, there)
        first = None
        for way, more in ways.items():
            taken = min(figure("bench-watched", command, environment | settings | more, port) for _ in range(rounds))
            first = first or taken
            print(f"{way:<24}{taken:>12,.0f}{taken / first - 1:>10.1%}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=2, help="how often each figure is taken (default: 2)")
    parser.add_argument("--as-shipped", action="store_true", help="leave the allocator as it is, with its noise")
    parser.add_argument("--watched", action="store_true", help="take what the log and traces cost instead")
    parser.add_argument("--built", type=pathlib.Path, help="the folder of programs that are built already")
    arguments = parser.parse_args()
    if not shutil.which("valgrind"):
        sys.exit("valgrind is not installed: apt-get install valgrind")
    # Python ends on SIGTERM without leaving its `with` blocks, and the programs would go on without it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    allocator = {} if arguments.as_shipped else STEADY_ALLOCATOR
    built = arguments.built or build()
    (measure_watched if arguments.watched else measure)(built, arguments.rounds, ONE_WORKER | allocator)


if __name__ == "__main__":
    main()
