"""A server that answers what the suite tells it to, or passes requests on to the service and loses answers,
so that the integration meets what the service does only once in a while."""

import http.server
import json
import threading
import time
import urllib.error
import urllib.request

LOST = "lost"
"""An answer that never comes: the request is passed on, and the connection closed."""

SILENT = "silent"
"""An answer that comes later than anybody waits; the request is passed on."""

PASSED = "passed"
"""The service's own answer."""


class Fake:
    """A server on the loopback; `answers` are given in their order, the last one for ever. An answer is
    `LOST`, `SILENT`, `PASSED`, or status, header fields and body."""

    def __init__(self, answers, service_url=None):
        self.requests = []
        answers = list(answers)
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                fake.requests.append((self.command, self.path, dict(self.headers), body))
                answer = answers.pop(0) if len(answers) > 1 else answers[0]
                if answer in (LOST, SILENT, PASSED):
                    passed = fake.pass_on(service_url, self.command, self.path, dict(self.headers), body)
                    if answer == SILENT:
                        time.sleep(2)
                    if answer in (LOST, SILENT):
                        self.close_connection = True
                        return
                    answer = passed
                status, headers, body = answer
                body = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    @staticmethod
    def pass_on(service_url, method, path, headers, body):
        """The service's answer to a request."""
        kept = {name: value for name, value in headers.items() if name not in ("Host", "Connection", "Content-Length")}
        request = urllib.request.Request(service_url + path, data=body or None, headers=kept, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as answer:
                status, fields, content = answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as refused:
            status, fields, content = refused.code, refused.headers, refused.read()
        dropped = ("content-length", "connection", "date", "transfer-encoding")
        return status, {name: value for name, value in fields.items() if name.lower() not in dropped}, content
