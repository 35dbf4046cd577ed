"""Signed webhooks for the suites: a source of Standard Webhooks with a secret of its own, and deliveries to it."""

import base64
import hashlib
import hmac
import json
import os
import pathlib
import time

import service

NAME = "hr"
"""The name of the source, and of the one that `serve --sandbox` has."""

RULES = """
[[sources.rules]]
when = "body.type == 'employee.hired'"
do = "create"
time = "body.timestamp"
profile = "person"

[[sources.rules]]
when = "body.type == 'employee.updated'"
do = "update"
time = "body.timestamp"
profile = "person"

[[sources.rules]]
when = "body.type == 'employee.reinstated'"
do = "enable"
time = "body.timestamp"
profile = "person"

[[sources.rules]]
when = "body.type == 'employee.terminated'"
do = "disable"
time = "body.timestamp"
profile = { employeeid = "body.data.employeeId" }

[sources.profiles.person.fields]
username = "body.data.login"
displayname = "body.data.firstName ~ ' ' ~ body.data.lastName"
givenname = "body.data.firstName"
surname = "body.data.lastName"
employeeid = "body.data.employeeId"
title = "body.data.jobTitle"
"""


def signed(key, identity, body, when=None):
    """The header fields of a delivery whose body `service.request` is going to send."""
    stamp = str(int(time.time() if when is None else when))
    tag = hmac.digest(key, f"{identity}.{stamp}.{json.dumps(body)}".encode(), hashlib.sha256)
    return {"webhook-id": identity, "webhook-timestamp": stamp,
            "webhook-signature": f"v1,{base64.b64encode(tag).decode()}"}


class Source:
    """A configured source: its files in a folder, and what the service's environment needs to find them."""

    def __init__(self, folder):
        self.key = os.urandom(32)
        folder = pathlib.Path(folder)
        secret = folder / "hr-secret"
        secret.touch(0o600)
        secret.write_text(f"whsec_{base64.b64encode(self.key).decode()}\n")
        file = folder / "sources.toml"
        file.write_text(f'[[sources]]\nname = "{NAME}"\npreset = "standard-webhooks"\n'
                        f'secret_files = ["{secret}"]\nzone = "UTC"\n{RULES}')
        self.environment = {"AWS_ILM_SOURCES_FILE": str(file)}

    def post(self, url, identity, body, timeout=60):
        """Sends a delivery, signed now."""
        return service.request("POST", f"{url}/webhooks/{NAME}", body, signed(self.key, identity, body), timeout)


def events(url):
    """Every event of the source with its details, the one that was taken first in front."""
    ids, cursor = [], ""
    while True:
        page = service.request("GET", f"{url}/events?source={NAME}&limit=500{cursor}").json
        ids += [event["id"] for event in page["events"]]
        if page["next"] is None:
            return [service.request("GET", f"{url}/events/{one}").json for one in reversed(ids)]
        cursor = f"&cursor={page['next']}"
