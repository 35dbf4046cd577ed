"""The group commands against a foreign SCIM server: see third_party.py."""

GROUP_KEYS = ["brand", "instanceName", "success", "active", "id", "username", "email", "errorCode", "errorMessage",
              "details", "displayName", "members"]
MISSING_ID = "there-is-no-such-id"


def run(checks, ours, foreign, limited):
    """All group commands in one group's life."""
    people = [_person(foreign, name) for name in ("first.member", "second.member")]
    group = _create(checks, ours, foreign, limited)
    _members(checks, ours, foreign, limited, group, people)
    _many_members(checks, ours, foreign, group)
    _rename(checks, ours, foreign, group)
    _delete(checks, ours, foreign, group)


def _person(foreign, name):
    """Makes a user in the foreign server itself, and returns the id: the groups' checks stand on their own."""
    body = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name, "displayName": name}
    return foreign.call("POST", "/Users", body).json["id"]


def _create(checks, ours, foreign, limited):
    wanted = {"displayName": "Research Team", "externalId": "G-1"}
    result = _success(checks, "create group", ours.command("iam-create-group", {"scim": wanted}), "CreateGroup")
    checks.equal("create group: name", result["displayName"], "Research Team")
    group = foreign.get("Groups", result["id"]) or {}
    checks.equal("create group: the server has it", (group.get("displayName"), group.get("externalId")),
                 ("Research Team", "G-1"))
    if "duplicate group" not in limited:
        answer = ours.command("iam-create-group", {"scim": wanted})
        _failure(checks, "create group again", answer, "CreateGroup", 409)
        checks.equal("create group again: still one", len(foreign.named("Groups", "Research Team")), 1)
    _failure(checks, "create group without a name", ours.command("iam-create-group", {"scim": {}}), "CreateGroup", 400)
    return result["id"]


def _members(checks, ours, foreign, limited, group, people):
    anna, boris = people
    by_id = {"scim": {"id": group}}
    added = {**by_id, "memberIdsToAdd": [anna, boris]}
    result = _success(checks, "add members", ours.command("iam-update-group", added), "UpdateGroup")
    checks.equal("add members: the answer's id is the group's", result["id"], group)
    checks.equal("add members: the server has both", _member_ids(foreign, group), {anna, boris})

    for name, scim in (("by id", {"id": group}), ("by name", {"displayName": "Research Team"}),
                       ("by a string", f'{{"id": "{group}"}}')):
        answer = ours.command("iam-get-group", {"scim": scim})
        result = _success(checks, f"get group {name}", answer, "GetGroup")
        checks.equal(f"get group {name}: id, name", (result["id"], result["displayName"]), (group, "Research Team"))
        members = result["members"] or []
        checks.equal(f"get group {name}: members", {one["value"] for one in members}, {anna, boris})
        if "groups.value" not in limited:
            checks.equal(f"get group {name}: display names", {one["display"] for one in members},
                         {foreign.get("Users", one)["displayName"] for one in people})
    answer = ours.command("iam-get-group", {**by_id, "includeMembers": "false"})
    result = _success(checks, "get group without members", answer, "GetGroup")
    checks.check("get group without members: there are none", not result["members"], answer)

    removed = {**by_id, "memberIdsToDelete": anna}
    _success(checks, "remove a member", ours.command("iam-update-group", removed), "UpdateGroup")
    checks.equal("remove a member: the server has the other", _member_ids(foreign, group), {boris})
    both = {**by_id, "memberIdsToAdd": f'["{anna}"]', "memberIdsToDelete": [boris]}
    _success(checks, "add one, remove one", ours.command("iam-update-group", both), "UpdateGroup")
    checks.equal("add one, remove one: the server has the first", _member_ids(foreign, group), {anna})
    answer = ours.command("iam-update-group", {**by_id, "memberIdsToDelete": [boris]})
    _success(checks, "remove one who is no member", answer, "UpdateGroup")
    torn = {**by_id, "memberIdsToAdd": [boris], "memberIdsToDelete": [boris]}
    _failure(checks, "the same id in both lists", ours.command("iam-update-group", torn), "UpdateGroup", 400)
    checks.equal("the same id in both lists: nothing was written", _member_ids(foreign, group), {anna})
    _success(checks, "remove the last", ours.command("iam-update-group", {**by_id, "memberIdsToDelete": [anna]}),
             "UpdateGroup")
    checks.equal("remove the last: the server has none", _member_ids(foreign, group), set())


def _many_members(checks, ours, foreign, group):
    # These servers take ids of nobody (a limitation), which makes 250 members cheap: three PATCHes each way.
    many = [f"member-{number:03}" for number in range(250)]
    answer = ours.command("iam-update-group", {"scim": {"id": group}, "memberIdsToAdd": ",".join(many)})
    _success(checks, "add 250 members", answer, "UpdateGroup")
    checks.equal("add 250 members: the server has them", _member_ids(foreign, group), set(many))
    answer = ours.command("iam-get-group", {"scim": {"id": group}})
    members = _success(checks, "get 250 members", answer, "GetGroup")["members"] or []
    checks.equal("get 250 members: all are told", {one["value"] for one in members}, set(many))
    answer = ours.command("iam-update-group", {"scim": {"id": group}, "memberIdsToDelete": many})
    _success(checks, "remove 250 members", answer, "UpdateGroup")
    checks.equal("remove 250 members: the server has none", _member_ids(foreign, group), set())


def _rename(checks, ours, foreign, group):
    renamed = {"scim": {"id": group, "displayName": "Development Team", "externalId": "G-2"}, "memberIdsToAdd": []}
    _success(checks, "rename group", ours.command("iam-update-group", renamed), "UpdateGroup")
    found = foreign.get("Groups", group)
    checks.equal("rename group: the server has it", (found["displayName"], found.get("externalId")),
                 ("Development Team", "G-2"))
    for name, scim in (("by name", {"displayName": "Research Team"}), ("by id", {"id": MISSING_ID})):
        _failure(checks, f"get missing group {name}", ours.command("iam-get-group", {"scim": scim}), "GetGroup", 404)
    for name, change in (("rename", {"scim": {"id": MISSING_ID, "displayName": "x"}}),
                         ("members of", {"scim": {"id": MISSING_ID}, "memberIdsToAdd": ["anybody"]})):
        answer = ours.command("iam-update-group", change)
        result = _failure(checks, f"{name} missing group", answer, "UpdateGroup", 404)
        checks.check(f"{name} missing group: message", "Group Not Found" in str(result["errorMessage"]), answer)


def _delete(checks, ours, foreign, group):
    answer = ours.command("iam-delete-group", {"scim": {"id": group}}, query="?dryRun=true")
    checks.equal("delete group, dry run: 200", answer.status, 200)
    checks.check("delete group, dry run: the server still has it", foreign.get("Groups", group) is not None)
    answer = ours.command("iam-delete-group", {"scim": {"id": group}})
    checks.equal("delete group: id", _success(checks, "delete group", answer, "DeleteGroup")["id"], group)
    checks.check("delete group: the server has it no more", foreign.get("Groups", group) is None)
    answer = ours.command("iam-delete-group", {"scim": {"id": group}})
    result = _failure(checks, "delete group again", answer, "DeleteGroup", 404)
    checks.check("delete group again: message", "Group Not Found" in str(result["errorMessage"]), answer)


def _member_ids(foreign, group):
    return {one["value"] for one in (foreign.get("Groups", group) or {}).get("members", [])}


def _success(checks, name, answer, key):
    """Checks that a group command succeeded with a whole envelope, and returns its result."""
    result = _result(checks, name, answer, key)
    checks.equal(f"{name}: HTTP status, success, error", (answer.status, result["success"], result["errorCode"],
                                                          result["errorMessage"]), (200, True, None, None))
    checks.equal(f"{name}: what only people have is null", (result["active"], result["username"], result["email"]),
                 (None, None, None))
    return result


def _failure(checks, name, answer, key, status):
    """Checks that a group command failed with this code, in HTTP and in the envelope; returns its result."""
    result = _result(checks, name, answer, key)
    checks.equal(f"{name}: failure {status}", (answer.status, result["errorCode"], result["success"],
                                               bool(result["errorMessage"])), (status, status, False, True))
    return result


def _result(checks, name, answer, key):
    result = (answer.json or {}).get(key) or {}
    if not checks.equal(f"{name}: {key} has its 12 keys in order", list(result), GROUP_KEYS):
        print(f"      {answer}")
    # What follows reads keys freely; a broken envelope has been counted already.
    return {**dict.fromkeys(GROUP_KEYS), **result}
