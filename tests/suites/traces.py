#!/usr/bin/env python3
"""A stand-in for a collector takes the service's traces by OTLP over HTTP, and prints one of them whole.

    python3 tests/suites/traces.py [--binary target/debug/aws-ilm]

Needs Python's standard library alone. The traces are those of a request that waits for its command, and of one whose
command is stored and carried out later; each is sent with a W3C context, which has to reach the directory too.
"""

import argparse
import http.server
import json
import sys
import threading
import time

import service
from service import WORK, Checks, Directory, Service, request

SEED = {"users": [{"id": f"u-{name}", "userName": name, "displayName": name, "active": True,
                   "name": {"givenName": name, "familyName": name}} for name in ("kim", "lee")]}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
OTHER_TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "00f067aa0ba902b7"
KINDS = {0: "", 1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}
PATIENCE = 20


def fields(message):
    """The fields of a protobuf message: number and value, which of a length-delimited one is bytes."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        key = varint()
        if key & 7 == 0:
            value = varint()
        elif key & 7 == 1:
            value, at = message[at:at + 8], at + 8
        elif key & 7 == 5:
            value, at = message[at:at + 4], at + 4
        else:
            length = varint()
            value, at = message[at:at + length], at + length
        yield key >> 3, value


def attribute(message):
    """A KeyValue: its key, and its value as a text."""
    found = dict(fields(message))
    kind, value = next(iter(fields(found.get(2, b""))), (0, ""))
    return found[1].decode(), value.decode() if kind == 1 else value


class Span:
    """A span (opentelemetry/proto/trace/v1/trace.proto)."""

    def __init__(self, message):
        self.trace = self.id = self.parent = self.name = ""
        self.kind, self.links, self.attributes, self.failed = "", [], {}, False
        for number, value in fields(message):
            if number == 1:
                self.trace = value.hex()
            elif number == 2:
                self.id = value.hex()
            elif number == 4:
                self.parent = value.hex()
            elif number == 5:
                self.name = value.decode()
            elif number == 6:
                self.kind = KINDS[value]
            elif number == 9:
                key, text = attribute(value)
                self.attributes[key] = text
            elif number == 13:
                self.links.append({key: text.hex() for key, text in fields(value) if key in (1, 2)}[1])
            elif number == 15:
                self.failed = dict(fields(value)).get(3) == 2

    def __str__(self):
        told = " ".join(f"{key}={value}" for key, value in sorted(self.attributes.items()) if not key.startswith("busy"))
        links = "".join(f" linked with {link}" for link in self.links)
        return f"{self.name} ({self.kind}{', failed' if self.failed else ''}){links} {told}"


class Collector(http.server.ThreadingHTTPServer):
    """Keeps every span that is sent to it, and the bytes in which they came."""

    def __init__(self):
        self.spans, self.resources, self.raw, self.paths = [], [], [], set()
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def take(self, path, body):
        """Keeps the spans of an ExportTraceServiceRequest."""
        self.paths.add(path)
        self.raw.append(body)
        for _, resource_spans in fields(body):
            for number, value in fields(resource_spans):
                if number == 1:
                    self.resources.append(dict(attribute(item) for key, item in fields(value) if key == 1))
                elif number == 2:
                    self.spans += [Span(item) for key, item in fields(value) if key == 2]

    def trace(self, wanted, count):
        """The spans of a trace, once there are so many."""
        deadline = time.monotonic() + PATIENCE
        while True:
            found = [span for span in list(self.spans) if span.trace == wanted]
            if len(found) >= count or time.monotonic() > deadline:
                return found
            time.sleep(0.1)


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers as a collector does that has taken everything: with an empty message."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.take((self.path, self.headers["Content-Type"]), body)
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Between(http.server.ThreadingHTTPServer):
    """Stands between the service and a directory, and notes the context that comes with each call."""

    def __init__(self, directory):
        self.directory, self.contexts = directory, []
        super().__init__(("127.0.0.1", 0), Passing)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Passing(http.server.BaseHTTPRequestHandler):
    """Passes a request on to the directory."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.contexts.append(self.headers["traceparent"])
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {"Authorization": self.headers["Authorization"]}
        answer = request(self.command, self.server.directory + self.path, json.loads(body) if body else None, headers)
        text = answer.text.encode()
        self.send_response(answer.status)
        for name in ("Content-Type", "x-amzn-RequestId"):
            if answer.headers.get(name):
                self.send_header(name, answer.headers[name])
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_POST = do_PATCH = do_GET

    def log_message(self, *_):
        pass


def show(spans):
    """Prints a trace as a tree."""
    ids = {span.id for span in spans}

    def below(parent, depth):
        for span in spans:
            if span.parent == parent or (parent is None and span.parent not in ids):
                print(f"      {'  ' * depth}{span}")
                below(span.id, depth + 1)

    below(None, 0)
    sys.stdout.flush()


def of_name(spans, start):
    """The spans whose names begin so."""
    return [span for span in spans if span.name.startswith(start)]


def check_awaited(checks, collector, served, directory, between):
    """One trace from the request through enqueue and run to every call of the directory."""
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "X-Request-Id": "awaited"}
    directory.script([{"api": "PatchUser", "kind": {"status": {"status": 503}}}])
    request("DELETE", f"{directory.url}/sandbox/calls")
    answer = served.command("iam-disable-user", {"user-profile": {"username": "kim"}}, headers=headers)
    checks.equal("the disable is carried out", answer.status, 200)
    calls = [call for call in directory.take_requests() if "ServiceProviderConfig" not in call["path"]]
    spans = collector.trace(TRACE, 3 + len(calls))
    print(f"the trace {TRACE}:")
    show(spans)
    server = of_name(spans, "POST /commands/iam-disable-user")
    checks.check("the request's span goes on with the caller's", len(server) == 1 and server[0].parent == PARENT
                 and server[0].kind == "server", spans)
    checks.equal("and says how it was answered", server[0].attributes.get("http.response.status_code"), 200)
    enqueue = of_name(spans, "enqueue")
    checks.check("storing it is a part of the request", len(enqueue) == 1 and enqueue[0].parent == server[0].id, enqueue)
    ran = of_name(spans, "run iam-disable-user")
    checks.check("carrying it out is a part of the request that waits", len(ran) == 1 and ran[0].parent == server[0].id, ran)
    sent = [span for span in spans if span.kind == "client"]
    checks.check("each call of the directory is a span", len(sent) == len(calls) > 2, (sent, calls))
    told = [context for context in between.contexts if context and context.startswith(f"00-{TRACE}-")]
    checks.equal("each call tells the directory its own span", sorted(context.split("-")[2] for context in told),
                 sorted(span.id for span in sent))
    checks.check("each has AWS's id of the request", all(span.attributes.get("aws.request_id") for span in sent), sent)
    failed = [span for span in sent if span.failed]
    checks.check("the one that failed says how", [span.attributes.get("error.type") for span in failed] == ["503"], sent)
    log = [json.loads(line) for line in served.text().splitlines() if line.startswith("{")]
    traced = [line for line in log if line.get("trace_id") == TRACE or any(span.get("trace_id") == TRACE
                                                                          for span in line.get("spans", []))]
    checks.check("access and audit lines have the trace's id", {"access", "audit"} <= {line["target"] for line in traced},
                 traced)


def check_deferred(checks, collector, served):
    """A command that is carried out later has a trace of its own, linked with the request's."""
    headers = {"traceparent": f"00-{OTHER_TRACE}-{PARENT}-01", "Prefer": "respond-async"}
    answer = served.command("iam-disable-user", {"user-profile": {"username": "lee"}}, headers=headers)
    checks.equal("the disable is stored", answer.status, 202)
    waited = request("GET", f"{served.url}/operations/{answer.json['id']}/wait")
    checks.equal("and carried out", waited.json["state"], "done")
    requested = collector.trace(OTHER_TRACE, 2)
    deadline, linked = time.monotonic() + PATIENCE, []
    while not linked and time.monotonic() < deadline:
        linked = [span for span in list(collector.spans) if OTHER_TRACE in span.links]
        time.sleep(0.1)
    checks.check("one run is linked with the request", len(linked) == 1 and linked[0].kind == "consumer", linked)
    spans = collector.trace(linked[0].trace, 3)
    print(f"the traces {OTHER_TRACE} and {linked[0].trace}:")
    show(requested)
    show(spans)
    checks.equal("it bears the operation's id", linked[0].attributes.get("aws_ilm.operation"), answer.json["id"])
    sent = [span for span in spans if span.kind == "client"]
    checks.check("the calls of the directory are its parts", len(sent) >= 2 and all(span.parent == linked[0].id
                                                                                   for span in sent), spans)


def check_silence(checks, binary, environment, between):
    """Without a collector nothing is sent on, whatever a caller sends."""
    with Service(binary, environment=environment, name="traces-off") as served:
        between.contexts.clear()
        served.command("iam-get-user", {"user-profile": {"username": "kim"}}, headers={"traceparent": f"00-{TRACE}-{PARENT}-01"})
        checks.check("without a collector the directory gets no context",
                     between.contexts and not any(between.contexts), between.contexts)
        checks.check("nor does the log", "trace_id" not in served.text(), served.tail())


def check_outage(checks, binary, environment):
    """A collector that is not there is told once, and holds up nothing."""
    environment = {**environment, "AWS_ILM_OTLP_ENDPOINT": f"http://127.0.0.1:{service.free_port()}", "OTEL_BSP_SCHEDULE_DELAY": "100"}
    with Service(binary, environment=environment, name="traces-lost") as served:
        for _ in range(4):
            answer = served.command("iam-get-user", {"user-profile": {"username": "kim"}})
            checks.equal("a command goes on without the collector", answer.status, 200)
            time.sleep(0.4)
        checks.equal("and that traces are lost is told once", served.text().count("traces are lost"), 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    service.binary_argument(parser)
    arguments = parser.parse_args()
    checks = Checks()
    for file in WORK.glob("traces.db*"):
        file.unlink()
    with checks.section("the traces"), Directory(arguments.binary, SEED, "traces-directory") as directory:
        collector, between = Collector(), Between(directory.url)
        url = directory.environment["AWS_ILM_URL"].replace(directory.url, between.url)
        environment = {**directory.environment, "AWS_ILM_URL": url, "AWS_ILM_STORE_PATH": str(WORK / "traces.db"), "AWS_ILM_OTLP_ENDPOINT": collector.url,
                       "OTEL_BSP_SCHEDULE_DELAY": "200"}
        with Service(arguments.binary, environment=environment, name="traces-service") as served:
            check_awaited(checks, collector, served, directory, between)
            check_deferred(checks, collector, served)
            last = {"traceparent": f"00-{'ab' * 16}-{PARENT}-01"}
            request("GET", f"{served.url}/capabilities", headers=last)
        checks.check("the last spans are sent before the service ends", collector.trace("ab" * 16, 1), collector.spans[-3:])
        checks.equal("they come as protobuf, where collectors take traces", collector.paths,
                     {("/v1/traces", "application/x-protobuf")})
        names = {resource.get("service.name") for resource in collector.resources}
        checks.equal("and say whose they are", names, {"aws-ilm"})
        sent = b"".join(collector.raw)
        for secret in (b"kim", b"lee", b"u-kim", b"sandbox-token", b"userName"):
            checks.check(f"no span has {secret.decode()!r} in it", secret not in sent)
        check_silence(checks, arguments.binary, {**directory.environment, "AWS_ILM_URL": url}, between)
        check_outage(checks, arguments.binary, directory.environment)
    return checks.finish()


if __name__ == "__main__":
    sys.exit(main())
