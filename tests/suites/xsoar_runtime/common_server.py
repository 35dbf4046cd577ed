"""The part of XSOAR's CommonServerPython that the integration uses, from its documented contract
(xsoar.pan.dev/docs/integrations/code-conventions, .../scheduled-commands and .../dt). All of it is ours: the
module itself is on no registry.

`names` makes one set of them for one execution, since XSOAR starts a process for each.
"""

import json
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request

ERROR, NOTE = 4, 1
"""Types of entries."""

SHORTEST_PAUSE = 10
"""XSOAR's shortest time between two polls, in seconds."""


class DemistoException(Exception):
    """What BaseClient raises; `res` is the response, if there was one."""

    def __init__(self, message, exception=None, res=None):
        self.message, self.exception, self.res = message, exception, res
        super().__init__(message)


def argToBoolean(value):
    """A switch: a boolean, or the text of one."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "yes", "y", "t", "on", "1"):
        return True
    if isinstance(value, str) and value.lower() in ("false", "no", "n", "f", "off", "0"):
        return False
    raise ValueError("Argument does not contain a valid boolean-like value")


def argToList(arg, separator=","):
    """A list: one, the JSON of one, or a text with separators."""
    if not arg:
        return []
    if isinstance(arg, list):
        return arg
    if isinstance(arg, str):
        if arg[0] == "[" and arg[-1] == "]":
            try:
                return json.loads(arg)
            except ValueError:
                pass
        return [part.strip() for part in arg.split(separator)]
    return [arg]


def tableToMarkdown(name, t, headers=None, removeNull=False):
    """A table of rows, or of one row."""
    rows = t if isinstance(t, list) else [t]
    if not any(rows):
        return f"### {name}\n**No entries.**\n"
    headers = [
        header
        for header in headers or list(rows[0])
        if not removeNull or any(row.get(header) not in (None, "", [], {}) for row in rows)
    ]

    def cell(value):
        if isinstance(value, dict):
            value = "\n".join(f"{key}: {inner}" for key, inner in value.items())
        text = "" if value is None else str(value)
        return text.replace("|", "\\|").replace("`", "\\`").replace("\r\n", "<br>").replace("\n", "<br>")

    lines = [f"### {name}", f"|{'|'.join(headers)}|", f"|{'|'.join('---' for _ in headers)}|"]
    lines += [f"| {' | '.join(cell(row.get(header)) for header in headers)} |" for row in rows]
    return "\n".join(lines) + "\n"


class CommandResults:
    """A command's result: what goes to the War Room and to the context."""

    def __init__(
        self,
        outputs_prefix=None,
        outputs_key_field=None,
        outputs=None,
        readable_output=None,
        raw_response=None,
        scheduled_command=None,
    ):
        self.outputs_prefix, self.outputs_key_field, self.outputs = outputs_prefix, outputs_key_field, outputs
        self.readable_output, self.raw_response = readable_output, raw_response
        self.scheduled_command = scheduled_command

    def to_context(self):
        """The entry."""
        if self.outputs_prefix:
            raise NotImplementedError("prefixes are not of this subset")
        entry = {
            "Type": NOTE,
            "ContentsFormat": "json",
            "Contents": self.raw_response or self.outputs,
            "HumanReadable": self.readable_output,
            "EntryContext": self.outputs or {},
        }
        return {**entry, **(self.scheduled_command.to_results() if self.scheduled_command else {})}


class Response:
    """As much of a response of `requests` as the integration may use."""

    def __init__(self, answer, status):
        self.status_code, self.headers, self.content = status, answer.headers, answer.read()
        self.text = self.content.decode("utf-8", "replace")

    def json(self):
        """The JSON; a ValueError where there is none."""
        return json.loads(self.text)


class BaseClient:
    """Sends requests, as the documentation of BaseClient says."""

    def __init__(self, base_url, verify=True, proxy=False, ok_codes=(), headers=None, auth=None, timeout=60):
        self._base_url, self._ok_codes, self._headers = base_url, ok_codes, headers
        handlers = []
        # The list of authorities takes long to read.
        if base_url.startswith("https:"):
            context = ssl.create_default_context()
            if not verify:
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            handlers.append(urllib.request.HTTPSHandler(context=context))
        if not proxy:
            handlers.append(urllib.request.ProxyHandler({}))
        self._opener = urllib.request.build_opener(*handlers)

    def _http_request(
        self,
        method,
        url_suffix="",
        headers=None,
        params=None,
        json_data=None,
        timeout=60,
        ok_codes=None,
        resp_type="json",
    ):
        url = f"{self._base_url.rstrip('/')}/{url_suffix.lstrip('/')}"
        if params:
            url = f"{url}?{urllib.parse.urlencode(params)}"
        headers = dict(headers or self._headers or {})
        data = None
        if json_data is not None:
            data = json.dumps(json_data).encode()
            headers["Content-Type"] = "application/json"
        try:
            request = urllib.request.Request(url, data=data, headers=headers, method=method)
            with self._opener.open(request, timeout=timeout) as answer:
                response = Response(answer, answer.status)
        except urllib.error.HTTPError as refused:
            response = Response(refused, refused.code)
        except TimeoutError:
            # XSOAR's passes this on as `requests` raises it, an OSError as well.
            raise
        except (OSError, ValueError) as error:
            raise DemistoException(
                f"Connection Error - verify that the server URL is correct. {error}", error
            ) from error
        if response.status_code not in (ok_codes or self._ok_codes):
            raise DemistoException(f"Error in API call [{response.status_code}]", res=response)
        return response if resp_type == "response" else response.json()


def names(demisto, version):
    """The names that a script finds, for one execution by a server of this version."""

    class ScheduledCommand:
        """A command that the server runs after this one, until none is scheduled any more."""

        def __init__(self, command, next_run_in_seconds, args=None, timeout_in_seconds=None, items_remaining=0):
            self.raise_error_if_not_supported()
            if next_run_in_seconds < SHORTEST_PAUSE:
                raise DemistoException(f"XSOAR polls every {SHORTEST_PAUSE} seconds at most")
            self._entry = {
                "PollingCommand": command,
                "NextRun": str(next_run_in_seconds),
                "PollingArgs": args,
                "Timeout": str(timeout_in_seconds),
                "PollingItemsRemaining": items_remaining,
            }

        @staticmethod
        def raise_error_if_not_supported():
            """Raises on a server that can't poll."""
            if version < (6, 2):
                raise DemistoException("This command is not supported in this Cortex XSOAR version.")

        def to_results(self):
            """What polling adds to the entry."""
            return {key: value for key, value in self._entry.items() if value is not None}

    def return_results(results):
        for result in results if isinstance(results, list) else [results]:
            demisto.results(result.to_context() if isinstance(result, CommandResults) else result)

    def return_error(message, error="", outputs=None):
        demisto.results({"Type": ERROR, "ContentsFormat": "text", "Contents": str(message), "EntryContext": outputs})
        sys.exit(0)

    return {
        "demisto": demisto,
        "argToBoolean": argToBoolean,
        "argToList": argToList,
        "BaseClient": BaseClient,
        "CommandResults": CommandResults,
        "DemistoException": DemistoException,
        "ScheduledCommand": ScheduledCommand,
        "tableToMarkdown": tableToMarkdown,
        "return_results": return_results,
        "return_error": return_error,
    }
