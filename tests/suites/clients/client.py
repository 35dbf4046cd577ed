"""Uses the client that openapi-python-client made, and prints a line of JSON a call: its name, status, the type that
the answer was read as, and something out of it. The suite ../clients.py knows what it should be.

    python client.py URL KEY
"""

import json
import sys

from aws_ilm_client import AuthenticatedClient
from aws_ilm_client.api.group_commands import iam_create_group, iam_get_group
from aws_ilm_client.api.user_commands import iam_create_user, iam_disable_user, iam_get_user, iam_update_user
from aws_ilm_client.models import (
    CreateGroupArguments, CreateGroupEnvelope, CreateUserArguments, DisableUserArguments, GetGroupArguments,
    GetGroupEnvelope, GetUserArguments, GroupProfileFields, Problem, UpdateUserArguments, UserDryRun, UserEnvelope,
    UserProfileFields)


def told(answer):
    """What the suite looks at in an answer, reached through the types."""
    match answer:
        case UserEnvelope():
            vendor = answer.iam.vendor
            return [vendor.action, vendor.success, vendor.error_code]
        case UserDryRun():
            return [len(answer.dry_run.requests), answer.dry_run.envelope.iam.vendor.action]
        case GetGroupEnvelope():
            return [answer.get_group.success, answer.get_group.display_name]
        case CreateGroupEnvelope():
            return [answer.create_group.success, answer.create_group.error_code]
        case Problem():
            return [answer.type_, answer.status]
    return None


def show(name, response):
    """Prints what came of one call."""
    kind = type(response.parsed).__name__
    print(json.dumps([name, int(response.status_code), kind, told(response.parsed)]))


def main():
    """Makes every call."""
    url, key = sys.argv[1:]

    def client_of(token):
        return AuthenticatedClient(base_url=url, token=token)

    client = client_of(key)
    somebody = GetUserArguments(user_profile=UserProfileFields(username="test"))
    show("done", iam_get_user.sync_detailed(client=client, body=somebody))
    in_text = GetUserArguments(user_profile=json.dumps({"username": "test"}))
    show("done, from a text", iam_get_user.sync_detailed(client=client, body=in_text))
    change = UserProfileFields(username="test", title="Engineer")
    change["shoesize"] = 43
    show("dry run", iam_update_user.sync_detailed(
        client=client, body=UpdateUserArguments(user_profile=change), dry_run=True))
    nobody = UserProfileFields(username="nobody")
    show("skipped", iam_disable_user.sync_detailed(client=client, body=DisableUserArguments(user_profile=nobody)))
    show("bad data", iam_get_user.sync_detailed(client=client, body=GetUserArguments(user_profile=UserProfileFields())))
    show("absent", iam_get_user.sync_detailed(client=client, body=GetUserArguments(user_profile=nobody)))
    double = UserProfileFields(username="new", email="amira.haddad@example.com", givenname="a", surname="b", displayname="c")
    show("conflict", iam_create_user.sync_detailed(client=client, body=CreateUserArguments(user_profile=double)))
    group = GroupProfileFields(display_name="The best group")
    show("group", iam_get_group.sync_detailed(client=client, body=GetGroupArguments(scim=group)))
    show("group's conflict", iam_create_group.sync_detailed(client=client, body=CreateGroupArguments(scim=group)))
    show("problem 400", iam_get_user.sync_detailed(client=client, body=somebody, instance=""))
    show("problem 401", iam_get_user.sync_detailed(client=client_of("wrong"), body=somebody))
    show("problem 404", iam_get_user.sync_detailed(client=client, body=somebody, instance="none"))


if __name__ == "__main__":
    main()
