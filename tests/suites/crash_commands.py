"""The people of the crash suite, and the commands that are sent about them.

A family is three userNames, three employee ids and, at first, one or two people: small enough that names and employee
ids are given again all the time. No command of one family means anybody of another.
"""

import uuid

import crash_model

NAME = {"givenName": "Same", "familyName": "Everybody"}
"""The name of all people, by which nobody is a stranger."""


class Family:
    """Three userNames and three employee ids, and who has them at first."""

    def __init__(self, number):
        self.number = number
        self.names = [f"f{number}.{letter}" for letter in "abc"]
        self.employees = [f"F{number}-{digit}" for digit in "123"]
        # One whose employee id the directory knows, and one whose it does not.
        self.users = (self._user("a", self.employees[0], True), self._user("b", None, False))

    def _user(self, letter, employee, active):
        identifier = str(uuid.uuid5(uuid.NAMESPACE_URL, f"crash-{self.number}-{letter}"))
        return crash_model.User(identifier, f"f{self.number}.{letter}", employee, active, "Seeded")

    def command(self, random, title):
        """The route and the arguments of a command about somebody of this family."""
        kind = random.choice(["create", "update", "update", "update", "rename", "disable", "disable"])
        profile = {}
        if kind == "rename":
            old, profile["username"] = random.sample(self.names, 2)
            profile["olduserdata"] = {"username": old}
        else:
            self._key(random, kind, profile)
        if kind == "disable":
            return "iam-disable-user", {"user-profile": profile}
        if "id" not in profile and random.random() < 0.4:
            profile["employeeid"] = random.choice(self.employees)
        profile |= {"displayname": "Same Everybody", "givenname": "Same", "surname": "Everybody", "title": title}
        route = "iam-create-user" if kind == "create" else "iam-update-user"
        return route, {"user-profile": profile, "allow-enable": random.random() < 0.6}

    def _key(self, random, kind, profile):
        """By what a command knows its person: a userName most of the time; a new one has to have one."""
        draw = random.random()
        if kind != "create" and draw < 0.2:
            profile["employeeid"] = random.choice(self.employees)
        elif kind != "create" and draw < 0.4:
            profile["id"] = random.choice(self.users).id
        else:
            profile["username"] = random.choice(self.names)
            if kind == "disable" and random.random() < 0.3:
                profile["employeeid"] = random.choice(self.employees)

    def of(self, users):
        """Those of these people that are of this family, in one order, with no directory id but those of the seed."""
        seeded = {user.id for user in self.users}
        own = (user for user in users if user.name in self.names)
        return tuple(sorted((user if user.id in seeded else user._replace(id=None) for user in own), key=repr))


def family_of(families, operation):
    """The family that an operation is about, by whatever it names."""
    profile = operation["arguments"]["user-profile"]
    for family in families:
        named = {*family.names, *family.employees, *(user.id for user in family.users)}
        if named & {profile.get("username"), profile.get("employeeid"), profile.get("id")}:
            return family
    raise ValueError(f"{operation['id']} is about nobody of this suite")


def family_name(name):
    """What all userNames of a family begin with; the whole of one that is of none."""
    return name.split(".")[0]


def user_of(resource):
    """A SCIM user as the model has it."""
    return crash_model.User(resource.get("id"), resource["userName"], resource.get("externalId"),
                            bool(resource.get("active")), resource.get("title"))


def seed(people):
    """What the sandbox starts with: these people."""
    users = []
    for user in people:
        resource = {"id": user.id, "userName": user.name, "displayName": "Same Everybody", "name": NAME,
                    "active": user.active, "title": user.title}
        users.append(resource | ({"externalId": user.employee} if user.employee else {}))
    return {"users": users, "groups": []}
