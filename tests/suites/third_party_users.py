"""The user commands against a foreign SCIM server: see third_party.py."""

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
VENDOR_KEYS = ["brand", "instanceName", "action", "success", "active", "id", "username", "email", "errorCode",
               "errorMessage", "details", "skipped", "reason"]

ANNA = {
    "username": "anna.sample", "email": "anna.sample@example.invalid", "givenname": "Anna", "surname": "Sample",
    "displayname": "Anna Sample", "title": "Engineer", "mobilephone": "+49 30 5550100", "department": "Research",
    "costcentercode": "CC-1", "employeeid": "E-1001",
}
BORIS = {"username": "boris.sample", "email": "boris.sample@example.invalid", "givenname": "Boris",
         "surname": "Sample", "displayname": "Boris Sample"}
MISSING_ID = "there-is-no-such-id"

PERSONAL = ["anna.sample", "boris.sample", "Anna Sample", "+49 30 5550100", "carla.sample", "example.invalid"]
"""Values that must never reach the service's log."""


def run(checks, ours, foreign, limited):
    """All user commands in one person's life."""
    answer = ours.command("test-module")
    checks.equal("test-module succeeds", (answer.status, answer.json["TestModule"]["success"]), (200, True))
    answer = ours.command("get-mapping-fields")
    checks.check("get-mapping-fields names userName", "userName" in str(answer.json), answer)

    anna = _create(checks, ours, foreign)
    _update(checks, ours, foreign, anna)
    _clear(checks, ours, foreign, anna)
    _rename(checks, ours, foreign, anna)
    _disable(checks, ours, foreign, anna)
    _missing(checks, ours, foreign)
    _awkward_names(checks, ours, foreign, limited)


def _create(checks, ours, foreign):
    answer = ours.command("iam-create-user", {"user-profile": ANNA}, query="?dryRun=true")
    checks.equal("dry run: 200", answer.status, 200)
    checks.equal("dry run: nobody was made", foreign.named("Users", "anna.sample"), [])

    answer = ours.command("iam-create-user", {"user-profile": ANNA})
    vendor = _vendor(checks, "create", answer, action="create")
    checks.equal("create: active, username, email", (vendor["active"], vendor["username"], vendor["email"]),
                 (True, "anna.sample", "anna.sample@example.invalid"))
    checks.equal("create: the caller's profile comes back", answer.json["IAM"]["UserProfile"], ANNA)
    user = foreign.get("Users", vendor["id"]) or {}
    checks.equal("create: the server has the person", _seen(user), {
        "userName": "anna.sample", "active": True, "displayName": "Anna Sample", "givenName": "Anna",
        "familyName": "Sample", "emails": [("anna.sample@example.invalid", "work", True)], "title": "Engineer",
        "phoneNumbers": ["+49 30 5550100"], "externalId": "E-1001", "department": "Research", "costCenter": "CC-1"})

    again = ours.command("iam-create-user", {"user-profile": {**ANNA, "title": "Senior Engineer"}})
    vendor_again = _vendor(checks, "create again", again, action="update")
    checks.equal("create again: the same person", vendor_again["id"], vendor["id"])
    checks.equal("create again: still one of that name", len(foreign.named("Users", "anna.sample")), 1)
    checks.equal("create again: the server has the new title", foreign.get("Users", vendor["id"]).get("title"),
                 "Senior Engineer")
    return vendor["id"]


def _update(checks, ours, foreign, anna):
    by_name = ours.command("iam-get-user", {"user-profile": {"username": "anna.sample"}})
    vendor = _vendor(checks, "get by name", by_name, action="get")
    checks.equal("get by name: id, username, active", (vendor["id"], vendor["username"], vendor["active"]),
                 (anna, "anna.sample", True))
    profile = by_name.json["IAM"]["UserProfile"]
    checks.equal("get by name: the profile in display names", {key: profile.get(key) for key in (
        "Email", "Given Name", "Surname", "Username", "Title", "Department", "Cost Center Code", "Employee ID")}, {
        "Email": "anna.sample@example.invalid", "Given Name": "Anna", "Surname": "Sample", "Username": "anna.sample",
        "Title": "Senior Engineer", "Department": "Research", "Cost Center Code": "CC-1", "Employee ID": "E-1001"})
    by_id = ours.command("iam-get-user", {"user-profile": {"id": anna}})
    checks.equal("get by id: the same person", _vendor(checks, "get by id", by_id, action="get")["id"], anna)

    changed = {"username": "anna.sample", "surname": "Specimen", "department": "Development",
               "email": "anna.specimen@example.invalid", "mobilephone": "+49 30 5550199", "title": ""}
    answer = ours.command("iam-update-user", {"user-profile": changed})
    _vendor(checks, "update", answer, action="update")
    user = _seen(foreign.get("Users", anna))
    checks.equal("update: the server has the changes, and kept the rest", user, {
        "userName": "anna.sample", "active": True, "displayName": "Anna Sample", "givenName": "Anna",
        "familyName": "Specimen", "emails": [("anna.specimen@example.invalid", "work", True)],
        "title": "Senior Engineer", "phoneNumbers": ["+49 30 5550199"], "externalId": "E-1001",
        "department": "Development", "costCenter": "CC-1"})

    before = foreign.get("Users", anna)["meta"]["lastModified"]
    answer = ours.command("iam-update-user", {"user-profile": changed})
    _vendor(checks, "update with nothing new", answer, action="update")
    checks.equal("update with nothing new: nothing was written", foreign.get("Users", anna)["meta"]["lastModified"],
                 before)
    answer = ours.command("iam-update-user", {"user-profile": "{\"username\": \"anna.sample\", \"title\": \"Lead\"}"})
    _vendor(checks, "update with a profile in a string", answer, action="update")
    checks.equal("update with a profile in a string: done", foreign.get("Users", anna).get("title"), "Lead")


def _clear(checks, ours, foreign, anna):
    cleared = {"user-profile": {"username": "anna.sample"}, "clear": "Title, department, Mobile Phone",
               "allow-enable": False}
    expected = {**_seen(foreign.get("Users", anna)), "title": None, "department": None, "phoneNumbers": []}
    _vendor(checks, "clear", ours.command("iam-update-user", cleared), action="update")
    checks.equal("clear: the server has none of it, and kept the rest", _seen(foreign.get("Users", anna)), expected)
    before = foreign.get("Users", anna)["meta"]["lastModified"]
    _vendor(checks, "clear again", ours.command("iam-update-user", cleared), action="update")
    checks.equal("clear again: nothing was written", foreign.get("Users", anna)["meta"]["lastModified"], before)
    required = {"user-profile": {"username": "anna.sample"}, "clear": ["username"]}
    _failure(checks, "clear what a user must have", ours.command("iam-update-user", required), 400)


def _rename(checks, ours, foreign, anna):
    renamed = {"username": "anna.specimen", "olduserdata": {"username": "anna.sample"}}
    for telling in ("rename", "rename told twice"):
        answer = ours.command("iam-update-user", {"user-profile": renamed})
        vendor = _vendor(checks, telling, answer, action="update")
        checks.equal(f"{telling}: id and name", (vendor["id"], vendor["username"]), (anna, "anna.specimen"))
        checks.equal(f"{telling}: the server has the new name", foreign.get("Users", anna)["userName"],
                     "anna.specimen")
        checks.equal(f"{telling}: nobody has the old one", foreign.named("Users", "anna.sample"), [])

    answer = ours.command("iam-update-user", {"user-profile": BORIS})
    vendor = _vendor(checks, "update of somebody missing creates", answer, action="create")
    boris = vendor["id"]
    checks.equal("update of somebody missing creates: the server has him", _seen(foreign.get("Users", boris))["emails"],
                 [("boris.sample@example.invalid", "work", True)])
    taken = {"username": "anna.specimen", "olduserdata": {"username": "boris.sample"}}
    answer = ours.command("iam-update-user", {"user-profile": taken})
    _failure(checks, "rename to a taken name", answer, 409)
    checks.equal("rename to a taken name: nothing changed", foreign.get("Users", boris)["userName"], "boris.sample")


def _disable(checks, ours, foreign, anna):
    leaver = {"user-profile": {"username": "anna.specimen"}}
    vendor = _vendor(checks, "disable", ours.command("iam-disable-user", leaver), action="disable")
    checks.equal("disable: answered as inactive", vendor["active"], False)
    checks.equal("disable: the server has it", foreign.get("Users", anna)["active"], False)
    _skip(checks, "disable again", ours.command("iam-disable-user", leaver), "User is already disabled.")

    titled = {"user-profile": {"username": "anna.specimen", "title": "Adviser"}, "allow-enable": "false"}
    _vendor(checks, "update without enabling", ours.command("iam-update-user", titled), action="update")
    user = foreign.get("Users", anna)
    checks.equal("update without enabling: title, still inactive", (user["title"], user["active"]), ("Adviser", False))
    back = {"user-profile": {"username": "anna.specimen"}, "allow-enable": True}
    vendor = _vendor(checks, "update with enabling", ours.command("iam-update-user", back), action="update")
    checks.equal("update with enabling: answered as active", vendor["active"], True)
    checks.equal("update with enabling: the server has it", foreign.get("Users", anna)["active"], True)

    carla = {**BORIS, "username": "carla.sample", "givenname": "Carla", "email": "carla.sample@example.invalid"}
    answer = ours.command("iam-create-user", {"user-profile": carla, "allow-enable": False})
    vendor = _vendor(checks, "create without enabling", answer, action="create")
    checks.equal("create without enabling: the server has her inactive", foreign.get("Users", vendor["id"])["active"],
                 False)


def _missing(checks, ours, foreign):
    before = len(foreign.all("Users"))
    for name, profile in (("by name", {"username": "somebody.unknown"}), ("by id", {"id": MISSING_ID})):
        body = {"user-profile": profile}
        vendor = _failure(checks, f"get missing {name}", ours.command("iam-get-user", body), 404)
        checks.equal(f"get missing {name}: message", vendor["errorMessage"], "User does not exist")
        _skip(checks, f"disable missing {name}", ours.command("iam-disable-user", body), "User does not exist")
    _failure(checks, "update missing by id", ours.command("iam-update-user", {"user-profile": {"id": MISSING_ID}}), 404)
    _failure(checks, "a malformed id", ours.command("iam-get-user", {"user-profile": {"id": "../Users"}}), 400)
    _failure(checks, "a profile that names nobody", ours.command("iam-get-user", {"user-profile": {"title": "x"}}), 400)
    answer = ours.command("iam-get-user", {"user-profile": {"username": "anna.specimen"}, "user-profil": {}})
    checks.equal("an unknown argument: a problem", (answer.status, answer.headers.get_content_type()),
                 (400, "application/problem+json"))
    checks.equal("nobody was made on the way", len(foreign.all("Users")), before)


def _awkward_names(checks, ours, foreign, limited):
    names = ["a&b=c+d%20#e", "o'neil", "Zoë.Ünal"]
    if "escapes in filters" not in limited:
        names += ["back\\slash", 'a" or userName pr or userName eq "b']
    for name in names:
        # A quoted name is only asked for: whether a directory keeps white space in a userName is its own affair.
        if " " not in name:
            person = {**BORIS, "username": name, "email": "awkward@example.invalid"}
            _vendor(checks, f"create {name}", ours.command("iam-create-user", {"user-profile": person}), action="create")
            checks.equal(f"create {name}: the server has the name as it is", len(foreign.named("Users", name)), 1)
            found = ours.command("iam-get-user", {"user-profile": {"username": name}})
            checks.equal(f"get {name}: found", _vendor(checks, f"get {name}", found, action="get")["username"], name)
        else:
            found = ours.command("iam-get-user", {"user-profile": {"username": name}})
            _failure(checks, f"get {name}: taken literally", found, 404)


def _vendor(checks, name, answer, action):
    """Checks that a user command succeeded with a whole envelope, and returns its `Vendor`."""
    vendor = _envelope(checks, name, answer)
    checks.equal(f"{name}: HTTP status, action, success, skipped",
                 (answer.status, vendor.get("action"), vendor.get("success"), vendor.get("skipped")),
                 (200, action, True, False)) or print(f"      {answer}")
    return vendor


def _skip(checks, name, answer, reason):
    """Checks that a user command was skipped for this reason."""
    vendor = _envelope(checks, name, answer)
    checks.equal(f"{name}: skipped", (answer.status, vendor.get("success"), vendor.get("skipped"), vendor.get("reason"),
                                      vendor.get("id"), vendor.get("active"), vendor.get("username")),
                 (200, True, True, reason, None, None, None))


def _failure(checks, name, answer, status):
    """Checks that a user command failed with this code, in HTTP and in the envelope; returns its `Vendor`."""
    vendor = _envelope(checks, name, answer)
    checks.equal(f"{name}: failure {status}", (answer.status, vendor.get("errorCode"), vendor.get("success"),
                                               bool(vendor.get("errorMessage"))), (status, status, False, True))
    return vendor


def _envelope(checks, name, answer):
    vendor = ((answer.json or {}).get("IAM") or {}).get("Vendor") or {}
    if not checks.equal(f"{name}: the envelope has its 13 keys in order", list(vendor), VENDOR_KEYS):
        print(f"      {answer}")
    # What follows reads keys freely; a broken envelope has been counted already.
    return {**dict.fromkeys(VENDOR_KEYS), **vendor}


def _seen(user):
    """The attributes that the checks compare, without what a server adds of its own."""
    extension = user.get(ENTERPRISE, {})
    seen = {
        **{key: user.get(key) for key in ("userName", "active", "displayName", "title", "externalId")},
        **{key: user.get("name", {}).get(key) for key in ("givenName", "familyName")},
        "emails": [(one.get("value"), one.get("type"), one.get("primary")) for one in user.get("emails", [])],
        "phoneNumbers": [one.get("value") for one in user.get("phoneNumbers", [])],
        "department": extension.get("department"),
        "costCenter": extension.get("costCenter"),
    }
    return seen
