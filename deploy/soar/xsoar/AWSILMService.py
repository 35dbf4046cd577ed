"""The IAM lifecycle commands of AWS IAM Identity Center, carried out by an aws-ilm service.

The service finds people, maps profiles, paces its requests to AWS and tries again what failed. What is done
here is what Cortex XSOAR needs beside that: its arguments sent, its switches obeyed, and the service's
answers as entries and context. An answer of a command, failed or not, is a result, so that a playbook can
branch on it. What never became a command (a wrong key, a wrong address, a service that is busy) is an error.
"""
import json
import re
import time
import uuid

import demistomock as demisto  # noqa: F401
from CommonServerPython import *  # noqa: F401

USER_COMMANDS = {"iam-create-user": "create", "iam-update-user": "update", "iam-get-user": "get",
                 "iam-disable-user": "disable"}
GROUP_COMMANDS = {"iam-get-group": "GetGroup", "iam-create-group": "CreateGroup", "iam-update-group": "UpdateGroup",
                  "iam-delete-group": "DeleteGroup"}
READING = ("iam-get-user", "iam-get-group")

PROFILE_CONTEXT = "IAM.UserProfile(val.email && val.email == obj.email)"
VENDOR_CONTEXT = ("IAM.Vendor(val.instanceName && val.instanceName == obj.instanceName && "
                  "val.email && val.email == obj.email)")
OPERATION_CONTEXT = "IAM.Operation(val.id && val.id == obj.id)"

USER_COLUMNS = ["brand", "instanceName", "success", "active", "id", "username", "email", "errorCode", "errorMessage",
                "details"]
SKIPPED_COLUMNS = ["brand", "instanceName", "skipped", "reason"]
OPERATION_FIELDS = ["id", "state", "reason", "command", "instance", "createdAt", "notBefore", "dueAt", "endedAt",
                    "purpose"]

# States that an operation does not leave by itself. The service may get others: they count as not ended.
ENDED = ("done", "skipped", "failed", "buried", "cancelled", "superseded")

NO_RESULT = "The service's answer has no result in it: is it an aws-ilm service, and not older than this integration?"
ANY_STATUS = tuple(range(200, 600))
# Statuses of problems after which nothing was done, so that the same request can be sent again.
PASSING = (429, 503)
# Statuses of a service, or of what stands before it, that is away for a while.
AWAY = (429, 500, 502, 503, 504)
TRIES = 4
LONGEST_PAUSE = 20
# Longer than the service gives a command by itself (command_timeout, a minute).
REQUEST_SECONDS = 100
# How long a deferred command is waited for before it is polled: most are done by then.
FIRST_WAIT_SECONDS = 5
POLL_SECONDS = 30
POLLING_ENDS_SECONDS = 24 * 60 * 60


class RefusedError(Exception):
    """A request that did not become a command."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class Client(BaseClient):
    """Sends requests to the service, in the name of one integration instance."""

    def __init__(self, params):
        url = str(params.get("url") or "").strip().rstrip("/")
        super().__init__(base_url=url, verify=not is_on(params, "insecure", False),
                         proxy=is_on(params, "proxy", False))
        self.url = url
        self.key = str((params.get("credentials") or {}).get("password") or "").strip()
        self.instance = str(params.get("instance") or "").strip()

    def send(self, method, path, body=None, params=None, prefer=None, key=None):
        """The response to a request, whatever its status. What passes is waited for; a request whose answer did not
        come is sent again only where that can't do anything twice."""
        headers = {"Accept": "application/json"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        if prefer:
            headers["Prefer"] = prefer
        if key:
            headers["Idempotency-Key"] = key
        for attempt in range(1, TRIES + 1):
            is_last = attempt == TRIES
            try:
                response = self._http_request(method, url_suffix=path, headers=headers, json_data=body, params=params,
                                              timeout=REQUEST_SECONDS, ok_codes=ANY_STATUS, resp_type="response")
            except (DemistoException, OSError):
                # No connection, or no answer in time: what `requests` raises is an OSError.
                if is_last or not (key or method == "GET"):
                    raise
                time.sleep(attempt)
                continue
            if response.status_code not in PASSING or is_last:
                return response
            pause = retry_after(response)
            if pause > LONGEST_PAUSE:
                return response
            time.sleep(pause)

    def document(self, method, path, **request):
        """The JSON object that a request is answered with, and whether it was accepted for later (202)."""
        response = self.send(method, path, **request)
        document = json_of(response)
        if response.status_code not in (200, 202) or not isinstance(document, dict):
            raise RefusedError(response.status_code, refusal(response, document, self.url))
        return document, response.status_code == 202

    def command(self, name, arguments, prefer="handling=lenient", key=None, is_dry_run=False):
        """What the service answers to a command, and whether it was accepted for later."""
        params = {}
        if self.instance:
            params["instance"] = self.instance
        if is_dry_run:
            params["dryRun"] = "true"
        return self.document("POST", f"/commands/{name}", body=arguments, params=params, prefer=prefer, key=key)

    def operation(self, operation_id, wait_seconds=0):
        """A stored command as it is now, or once the wait is over."""
        if not re.fullmatch("[A-Za-z0-9-]{1,64}", operation_id):
            raise ValueError("operation-id is the id of an operation, as IAM.Operation.id has it")
        wait = f"/wait?timeout={wait_seconds}" if wait_seconds else ""
        operation, _ = self.document("GET", f"/operations/{operation_id}{wait}")
        if not {"id", "state", "command"} <= set(operation):
            raise ValueError(NO_RESULT)
        return operation


def is_on(params, name, default=True):
    """Whether a switch of the instance is on."""
    value = params.get(name)
    return default if value in (None, "") else argToBoolean(value)


def json_of(response):
    """The JSON of a response; None when it has none."""
    try:
        return response.json()
    except ValueError:
        return None


def retry_after(response):
    """The seconds after which the service wants to be asked again."""
    text = str(response.headers.get("Retry-After") or "")
    return int(text) if text.isdigit() else 1


def refusal(response, document, url):
    """Why a request did not become a command, in a sentence for the War Room."""
    status = response.status_code
    if isinstance(document, dict) and "title" in document and "type" in document:
        said = f"{document['title']}. {document.get('detail') or ''}".strip()
        return f"{said} (HTTP {status}, {url}{document['type']}, request {document.get('requestId')})"
    return (f"HTTP {status} without an answer of an aws-ilm service: check the service's URL ({url}), which has no "
            "path as a rule, and what stands between")


def run_command(client, params, name, args):
    """Carries out one command, as the switches of the instance let it."""
    arguments = arguments_of(name, args)
    if name in USER_COMMANDS and name not in READING:
        settled = obey_switches(client, params, name, arguments)
        if settled is not None:
            return [envelope_results(settled)]
    if name in READING or not is_on(params, "asynchronous", False):
        envelope, _ = client.command(name, arguments)
        return [envelope_results(envelope)]
    # A server that can't poll is told so before anything is sent.
    ScheduledCommand.raise_error_if_not_supported()
    answer, is_deferred = client.command(name, arguments, prefer="respond-async, handling=lenient",
                                         key=str(uuid.uuid4()))
    if not is_deferred:
        return [envelope_results(answer)]
    return [followed(client, str(answer.get("id")), FIRST_WAIT_SECONDS)]


def arguments_of(name, args):
    """The arguments in the service's form. What is empty was not given."""
    arguments = {key: value for key, value in args.items() if value not in (None, "")}
    for members in ("memberIdsToAdd", "memberIdsToDelete"):
        if members in arguments:
            arguments[members] = [str(member) for member in argToList(arguments[members])]
    return arguments


def obey_switches(client, params, name, arguments):
    """The envelope that a command ends with because of a switch, if one does; otherwise None, with
    `allow-enable` taken back where enabling is off.

    What the command would do is asked of the service first, by a dry run, and only where a switch that it can
    meet is off: a creation of a user who is there is an update, and an update of one who is not may be a
    creation.
    """
    action = USER_COMMANDS[name]
    if not is_on(params, f"{action}_user_enabled"):
        return skipped(action, arguments, "Command is disabled.")
    creates, updates, enables = (is_on(params, f"{switch}_user_enabled") for switch in ("create", "update", "enable"))
    adds = is_on(params, "create_if_not_exists") or action == "create"
    if action == "disable" or (creates and updates and enables and adds):
        return None
    answer, _ = client.command(name, arguments, is_dry_run=True)
    envelope = answer.get("dryRun", {}).get("envelope") or {}
    vendor = envelope.get("IAM", {}).get("Vendor")
    if not vendor:
        raise ValueError(NO_RESULT)
    if not vendor["success"] or vendor["skipped"]:
        return envelope
    if vendor["action"] == "create" and not adds:
        return skipped(action, arguments, "User does not exist")
    if not (creates if vendor["action"] == "create" else updates):
        return skipped(vendor["action"], arguments, "Command is disabled.")
    if vendor["action"] == "update" and not enables:
        arguments["allow-enable"] = "false"
    return None


def skipped(action, arguments, reason):
    """The envelope of a command that a switch of this instance skips."""
    profile = profile_of(arguments.get("user-profile"))
    return {"IAM": {"UserProfile": profile, "Vendor": vendor_of(action, profile, success=True, skipped=True,
                                                                reason=reason)}}


def vendor_of(action, profile, **told):
    """The thirteen keys of a user command's answer, for those that the service does not give."""
    vendor = {"brand": "AWS-ILM", "instanceName": "", "action": action, "success": False, "active": None, "id": None,
              "username": None, "email": profile.get("email"), "errorCode": None, "errorMessage": "", "details": {},
              "skipped": False, "reason": ""}
    return {**vendor, **told}


def profile_of(argument):
    """The profile as an object; empty where it is none."""
    if isinstance(argument, str):
        try:
            argument = json.loads(argument)
        except ValueError:
            return {}
    return argument if isinstance(argument, dict) else {}


def envelope_results(envelope):
    """A command's answer as an entry: the original's context keys, and its table."""
    # XSOAR knows this instance by its own name, and playbooks compare with that.
    instance = demisto.integrationInstance()
    if "IAM" in envelope:
        vendor = {**envelope["IAM"]["Vendor"], "instanceName": instance}
        outputs = {PROFILE_CONTEXT: envelope["IAM"]["UserProfile"], VENDOR_CONTEXT: vendor}
        title = f"{str(vendor['action']).capitalize()} User Results ({vendor['brand']})"
        columns = SKIPPED_COLUMNS if vendor["skipped"] else USER_COLUMNS
        return CommandResults(outputs=outputs, raw_response=vendor, readable_output=table(title, vendor, columns))
    for key in GROUP_COMMANDS.values():
        if key in envelope:
            group = {**envelope[key], "instanceName": instance}
            title = f"AWS {key[:-len('Group')]} Group:"
            return CommandResults(outputs={f"{key}(val.id && val.id == obj.id)": group}, raw_response=group,
                                  readable_output=table(title, group, sorted(group)))
    raise ValueError(NO_RESULT)


def table(title, row, columns):
    """A table of one row, all of it text, so that nothing in it is printed as Python."""
    def text(value):
        if isinstance(value, list) and all(isinstance(part, str) for part in value):
            return ", ".join(value)
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    cells = {}
    for column in columns:
        value = row.get(column)
        if isinstance(value, dict):
            cells[column] = {key: text(inner) for key, inner in value.items()}
        elif value not in (None, "", []):
            cells[column] = text(value)
    return tableToMarkdown(title, cells, headers=columns, removeNull=True)


def operation_results(operation, polls):
    """A stored command as an entry; once it has ended also its answer, just as if it had been waited for."""
    told = {field: operation.get(field) for field in OPERATION_FIELDS}
    told["attempts"] = len(operation.get("attempts") or [])
    told["hasEnded"] = operation["state"] in ENDED
    readable = table("Operation", told, [*OPERATION_FIELDS, "attempts"])
    if not told["hasEnded"]:
        return CommandResults(outputs={OPERATION_CONTEXT: told}, raw_response=operation, readable_output=readable,
                              scheduled_command=next_poll(operation["id"]) if polls else None)
    results = envelope_results(operation.get("envelope") or without_envelope(operation))
    results.outputs[OPERATION_CONTEXT] = told
    results.readable_output += readable
    results.raw_response = operation
    return results


def next_poll(operation_id):
    """The next question after an operation."""
    args = {"operation-id": operation_id, "polling": "true", "hide_polling_output": True}
    return ScheduledCommand(command="iam-operation-get", next_run_in_seconds=POLL_SECONDS, args=args,
                            timeout_in_seconds=POLLING_ENDS_SECONDS)


def followed(client, operation_id, wait_seconds=0):
    """A stored command that is asked about until it has ended. A service that is away for a while does not
    end that: the operation stays, whatever becomes of a question."""
    try:
        return operation_results(client.operation(operation_id, wait_seconds), polls=True)
    except RefusedError as error:
        if error.status not in AWAY:
            raise
        away = error
    except (DemistoException, OSError) as error:
        away = error
    return CommandResults(readable_output=f"The operation {operation_id} is asked about again: {away}",
                          raw_response={"id": operation_id}, scheduled_command=next_poll(operation_id))


def without_envelope(operation):
    """The failed answer of an operation that ended without one, such as one that was cancelled in time."""
    name, arguments = operation["command"], operation.get("arguments") or {}
    message = f"The operation {operation['id']} was {operation['state']} before it had an answer."
    if name in USER_COMMANDS:
        profile = profile_of(arguments.get("user-profile"))
        return {"IAM": {"UserProfile": profile, "Vendor": vendor_of(USER_COMMANDS[name], profile,
                                                                    errorMessage=message)}}
    group = profile_of(arguments.get("scim"))
    return {GROUP_COMMANDS[name]: {"brand": "AWS-ILM", "instanceName": "", "success": False, "active": None,
                                   "id": group.get("id"), "username": None, "email": None, "errorCode": None,
                                   "errorMessage": message, "details": {}, "displayName": group.get("displayName"),
                                   "members": None}}


def get_operation(client, args):
    """iam-operation-get: a stored command, which is polled on where that is asked for."""
    operation_id = str(args.get("operation-id") or "").strip()
    if argToBoolean(args.get("polling") or "false"):
        ScheduledCommand.raise_error_if_not_supported()
        return followed(client, operation_id)
    return operation_results(client.operation(operation_id), polls=False)


def test_module(client, params):
    """`ok`, or what is wrong with the instance."""
    tested, _ = client.command("test-module", {})
    told = tested.get("TestModule")
    if not isinstance(told, dict):
        raise ValueError(NO_RESULT)
    if not told["success"]:
        raise ValueError(f"The service is there, but its directory is not: {told['errorMessage']}")
    used = mappers_of(client, told["instanceName"])
    for parameter, direction in (("mapper_out", "outgoing"), ("mapper_in", "incoming")):
        mapper = used[direction]
        wanted = str(params.get(parameter) or "").strip()
        if wanted and wanted not in (mapper["name"], mapper.get("id")):
            raise ValueError(
                f"The service maps with the {direction} mapper {mapper['name']!r}, this instance names {wanted!r}. "
                f"Export that mapper and give it to the service ({parameter}), or write {mapper['name']} here.")
    if is_on(params, "asynchronous", False):
        capabilities, _ = client.document("GET", "/capabilities")
        if not capabilities.get("store"):
            raise ValueError("Asynchronous commands need a store, and the service has none (store_path).")
    return "ok"


def mappers_of(client, name):
    """The mappers that the service uses for one of its instances."""
    listed, _ = client.document("GET", "/mappers")
    for instance in listed.get("instances") or []:
        if instance["instance"] == name:
            return instance
    raise ValueError(f"The service does not tell which mappers it uses for {name}.")


def main():
    params, name, args = demisto.params(), demisto.command(), demisto.args()
    try:
        client = Client(params)
        if name == "test-module":
            return_results(test_module(client, params))
        elif name == "get-mapping-fields":
            # What the mapper editor takes: each type with its fields.
            demisto.results(client.command(name, {})[0])
        elif name == "iam-operation-get":
            return_results(get_operation(client, args))
        elif name in USER_COMMANDS or name in GROUP_COMMANDS:
            return_results(run_command(client, params, name, args))
        else:
            raise NotImplementedError(f"There is no command {name}.")
    except Exception as error:
        return_error(f"{name}: {error}")


if __name__ in ("__main__", "__builtin__", "builtins"):
    main()
