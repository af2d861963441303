"""How each operation is called by somebody who may: x-access says who that is.

Nothing is forbidden to the run. It plays in a workspace of its own, as that workspace's administrator; where it has ended its own
key, its role or its workspace, it is given a new workspace. The operator's key belongs to a workspace that no call reaches.
"""

import itertools
import json
import os

import requests
import schemathesis

URL = os.environ["JETON_URL"]
OPERATOR = "Bearer " + os.environ["JETON_TOKEN"]
CLIENT = (os.environ["JETON_CLIENT_ID"], os.environ["JETON_CLIENT_SECRET"])


class Playground:
    """The administrator of a workspace that may be ruined."""

    names = (f"playground-{number}" for number in itertools.count())
    key = None

    def authorization(self):
        if not self.is_whole():
            body = {"name": next(self.names)}
            made = requests.post(f"{URL}/admin/v1/workspaces", json=body, headers={"Authorization": OPERATOR}, timeout=30)
            made.raise_for_status()
            Playground.key = "Bearer " + made.json()["api_key"]
        return self.key

    def is_whole(self):
        if self.key is None:
            return False
        answer = requests.get(f"{URL}/api/v1/me", headers={"Authorization": self.key}, timeout=30)
        user = answer.json().get("user", {})
        return answer.ok and user["role"] == "admin" and user["tokens_allowed"]

    def session(self):
        headers = {"Authorization": self.authorization()}
        opened = requests.get(f"{URL}/oauth20/access-token", headers=headers, timeout=30)
        opened.raise_for_status()
        return "Bearer " + opened.json()["access_token"]


@schemathesis.auth(refresh_interval=None)
class Caller:
    def get(self, case, context):
        match case.operation.definition.raw["x-access"]:
            case "public" | "network":
                return None
            case "client":
                return requests.auth._basic_auth_str(*CLIENT)
            case "operator":
                return OPERATOR
            case "user" | "admin":
                return Playground().authorization()
            case "bearer" | "presented":
                return Playground().session()

    def set(self, case, data, context):
        if data is not None:
            case.headers = case.headers or {}
            case.headers["Authorization"] = data


@schemathesis.serializer("application/x-ndjson", "text/csv")
def as_it_is(context, value):
    """A file of lines is a text, good or bad."""
    return {"data": (value if isinstance(value, str) else json.dumps(value)).encode()}
