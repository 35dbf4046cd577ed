"""What the public integration did (`tests/integration/cases.json`), by the integration of `deploy/soar/xsoar`
under the stand-in of XSOAR's runtime: the same context under the same keys, the same tables, and the same
answers to what public playbooks ask. What differs on purpose stands in `DIFFERENCES` with its reason, and
must differ."""

import ast
import json
import re

import service
from xsoar_runtime import Context, Instance

NO_TRACEBACK = "names the fault before it is sent; no traceback"
NO_RAW = "a directory's raw answer is not passed on; errorMessage has what it says"
HEADERS = "the answer's headers are an object, not Python's print"

DIFFERENCES = {
    (
        "create-new create-existing-updates create-existing-disabled-allow update-username-only update-active-title "
        "update-rename get-existing disable-active",
        "print",
    ): "a list in a cell is JSON, not Python's print",
    (
        "create-disabled-by-flag update-missing-no-create update-flag-off disable-flag-off",
        "IAM.Vendor.details",
    ): "a switch of XSOAR's instance stops the command here; what a mapping makes of the profile the service knows",
    ("create-missing-surname", "IAM.Vendor.errorMessage"): NO_TRACEBACK,
    ("create-missing-surname", "IAM.Vendor.details"): "an empty or missing field is left out, also inside name",
    ("create-no-identifier get-no-identifier", "IAM.Vendor.errorMessage"): NO_TRACEBACK,
    ("create-no-identifier get-no-identifier", "IAM.Vendor.errorCode"): "a number or null, never an empty text",
    ("create-missing-surname create-no-identifier get-no-identifier", "table"): "as the fields above",
    ("group-get-id group-get-name", "GetGroup.members"): "really read: an empty list where the group has none",
    ("group-get-missing-id", "GetGroup.details"): NO_RAW,
    ("group-delete-missing", "DeleteGroup.details"): NO_RAW,
    ("group-get-missing-id group-delete-missing", "table"): "as the details",
    ("group-get-empty", "context"): "what can't be asked is a failed result, not an error without one",
    ("group-create-duplicate", "CreateGroup.errorCode"): "read from where the error is",
    ("group-create-duplicate", "CreateGroup.errorMessage"): "read from where the error is",
    ("group-create-duplicate", "CreateGroup.details"): NO_RAW,
    ("group-create-duplicate", "table"): "as the fields above",
    ("group-update-add group-update-add-del", "UpdateGroup.details"): HEADERS,
    ("group-delete", "DeleteGroup.details"): HEADERS,
    ("group-update-add group-update-add-del group-delete", "table"): "as the details",
    ("mapping-fields", "returned"): "each field with a description; without password and groups, which AWS refuses",
}

SHAPES = (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "ID"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME"),
)

ASKED = (
    "IAM.Vendor.success",
    "IAM.Vendor.skipped",
    "IAM.Vendor.action",
    "IAM.Vendor.active",
    "IAM.Vendor.reason",
    "IAM.Vendor.brand",
    "IAM.Vendor.instanceName",
    "GetGroup.success",
    "CreateGroup.success",
    "UpdateGroup.success",
    "DeleteGroup.success",
)
"""What conditions of public playbooks look at, with isEqualString and isFalse."""

FAILED = (
    "Failed in ${IAM.Vendor(val.success==false).instanceName}: ${IAM.Vendor(val.success==false).action}; "
    "succeeded: ${IAM.Vendor(val.success==true).action}; skipped: ${IAM.Vendor(val.skipped==true).reason}; "
    "done: ${IAM.Vendor(val.success==true && val.skipped==false).username}"
)
"""The texts that they make of failed instances."""

ANSWERS = (
    "true",
    "false",
    "create",
    "update",
    "get",
    "disable",
    "AWS-ILM",
    "AWS-ILM_instance_1",
    "User does not exist",
    "User is already disabled.",
    "Command is disabled.",
)


def run(checks, binary, unified):
    """Replays every case."""
    cases = json.loads((service.ROOT / "tests" / "integration" / "cases.json").read_text())
    unused = {(case, field) for names, field in DIFFERENCES for case in names.split()}
    with service.Directory(binary, {"users": [], "groups": []}, name="soar-directory") as directory, service.Service(
        binary, environment=directory.environment, name="soar-cases"
    ) as ours:
        for case in cases:
            service.request("PUT", f"{directory.url}/sandbox/state", case["directory"])
            instance = Instance(unified, {"url": ours.url, **case["switches"]})
            [entry] = instance.run(case["command"], case["arguments"])
            differ = set(differing(case, entry))
            expected = {field for name, field in unused if name == case["name"]}
            checks.equal(f"{case['name']}: comes out as in the original, but for what is named", differ, expected)
            unused -= {(case["name"], field) for field in differ}
            if case.get("context"):
                check_conditions(checks, case, instance.context)
    checks.equal("every named difference is one", unused, set())


def differing(case, entry):
    """The fields in which an entry differs from the original's."""
    if "returned" in case:
        if entry != case["returned"]:
            yield "returned"
        return
    if case["context"] is None:
        yield "context"
        return
    context = {key: value for key, value in entry["EntryContext"].items()}
    if list(context) != list(case["context"]):
        yield f"keys {list(context)}"
        return
    for key, was in case["context"].items():
        path, new = key.partition("(")[0], context[key]
        # The order of a profile's fields is its sender's.
        if list(was) != list(new) and path != "IAM.UserProfile":
            yield f"{path} keys"
        for field in was:
            if normalised(was[field]) != normalised(new.get(field)):
                yield f"{path}.{field}"
    was, new = case["human_readable"], entry["HumanReadable"]
    if cells(was, without_python) != cells(new):
        yield "table"
    elif cells(was) != cells(new):
        yield "print"


def normalised(value):
    """What is made anew in each run becomes the same text."""
    text = json.dumps(value, sort_keys=True)
    text = re.sub(r" \(AWS request id [^)]*\)", "", text)
    for shape, name in SHAPES:
        text = re.sub(shape, name, text)
    return json.loads(text)


def cells(table, mended=lambda value: value):
    """A table's cells, the entries of each in one order and their JSON too."""
    rows = [row.split("|") for row in normalised(table).splitlines()]
    return [
        ["<br>".join(sorted(in_order(entry, mended) for entry in cell.strip().split("<br>"))) for cell in row]
        for row in rows
    ]


def in_order(entry, mended):
    """An entry of a cell with the keys of its JSON in one order."""
    name, _, value = entry.partition(": ")
    try:
        return f"{name}: {json.dumps(json.loads(mended(value)), sort_keys=True)}"
    except ValueError:
        return entry


def without_python(value):
    """The list of one object that Python has printed, as JSON."""
    return json.dumps([ast.literal_eval(value)]) if value.startswith("{'") else value


def check_conditions(checks, case, context):
    """That a playbook goes the same way as with the original."""
    original = Context()
    original.put(case["context"])
    answers = [
        [(path, answer, of.is_equal_string(path, answer)) for path in ASKED for answer in ANSWERS]
        for of in (original, context)
    ]
    asked = [[of.is_false("IAM.Vendor.success"), of.text(FAILED)] for of in (original, context)]
    checks.equal(f"{case['name']}: conditions come out as with the original", answers[1], answers[0])
    checks.equal(f"{case['name']}: its text too ({asked[0][1]})", asked[1], asked[0])
