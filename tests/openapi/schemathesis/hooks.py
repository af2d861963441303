"""How each operation is called by somebody who may: x-access says who that is.

The key of the administrator opens a session before each call, so that a call which ends its own session ends no other call's.
"""

import os

import requests
import schemathesis

URL = os.environ["JETON_URL"]
KEY = os.environ["JETON_TOKEN"]
CLIENT = (os.environ["JETON_CLIENT_ID"], os.environ["JETON_CLIENT_SECRET"])


@schemathesis.auth(refresh_interval=None)
class Caller:
    def get(self, case, context):
        access = case.operation.definition.raw["x-access"]
        if access in ("public", "network"):
            return None
        if access == "client":
            return requests.auth._basic_auth_str(*CLIENT)
        answer = requests.get(f"{URL}/oauth20/access-token", headers={"api-key": KEY}, timeout=30)
        answer.raise_for_status()
        return "Bearer " + answer.json()["access_token"]

    def set(self, case, data, context):
        if data is not None:
            case.headers = case.headers or {}
            case.headers["Authorization"] = data


@schemathesis.hook
def before_call(context, case, kwargs):
    """What is done to many tokens at once would end the key too: it is only tried."""
    many = case.operation.path.endswith(("/bulk", "/revoke-all"))
    if many and isinstance(case.body, dict) and case.body.get("dry_run", False) is False:
        case.body["dry_run"] = True
