"""A token's whole life with requests-oauthlib. The parameters are JSON on standard input (see parties.rs)."""

import json
import os
import sys
from urllib.parse import quote_plus

# The library's documented switch for servers that are tested without TLS.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

from oauthlib.oauth2 import BackendApplicationClient, InvalidClientError, InvalidGrantError
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

PARAMETERS = json.load(sys.stdin)
ISSUER = PARAMETERS["issuer"]
TOKEN = ISSUER + "/oauth20/token"
REVOKE = ISSUER + "/oauth20/revoke"
INTROSPECT = ISSUER + "/oauth20/introspect"
# Shows the session of the bearer token that it is called with.
RESOURCE = ISSUER + "/oauth20/access-token"

MIGRATED = PARAMETERS["migrated_client"]
ORDINARY = PARAMETERS["ordinary_client"]
TIMEOUT = 30


def main():
    # The library's default, HTTPBasicAuth of requests, joins id and secret as they are, where RFC 6749 section 2.3.1
    # wants each form-encoded first. An id with a colon can't be told from the secret then; include_client_id is
    # its documented way to put them into the body.
    assert_raises(InvalidClientError, lambda: backend(MIGRATED).fetch_token(TOKEN, **MIGRATED, timeout=TIMEOUT))
    whole_life(MIGRATED, fetch={**MIGRATED, "include_client_id": True}, body=MIGRATED)
    # Whoever encodes before handing them over can use Basic.
    encoded = HTTPBasicAuth(quote_plus(MIGRATED["client_id"]), quote_plus(MIGRATED["client_secret"]))
    whole_life(MIGRATED, fetch={"auth": encoded}, auth=encoded)
    # What this service makes itself is the same form-encoded or not: the library's default works.
    basic = HTTPBasicAuth(ORDINARY["client_id"], ORDINARY["client_secret"])
    whole_life(ORDINARY, fetch=ORDINARY, auth=basic)
    a_pair_is_refreshed_and_revoked(basic)
    a_wrong_secret_is_an_invalid_client()
    print("ok requests_oauthlib_life")


def whole_life(client, fetch, auth=None, body=None):
    """`fetch` is how the client authenticates to the library's fetch_token, `auth` or `body` how it does elsewhere."""
    session = backend(client, scope=["orders:read"])
    token = session.fetch_token(TOKEN, **fetch, timeout=TIMEOUT)
    assert token["token_type"] == "Bearer", f"token_type is {token['token_type']}"
    assert token["scope"] == ["orders:read"], f"asked for orders:read, got {token['scope']}"
    assert 0 < token["expires_in"] <= 86400, f"expires_in is {token['expires_in']}"
    assert "refresh_token" not in token, "client_credentials gave a refresh token (RFC 6749 section 4.4.3)"
    assert session.authorized, "the session has no token"

    answer = introspect(session, token["access_token"], auth, body)
    assert answer["active"] is True, f"a new token is introspected as {answer}"
    assert answer["scope"] == "orders:read", f"introspected scope is {answer['scope']}"
    assert answer["client_id"] == client["client_id"], f"introspected client is {answer['client_id']}"
    assert answer["token_type"] == "Bearer", f"introspected token_type is {answer['token_type']}"
    assert answer["exp"] - answer["iat"] == token["expires_in"], f"lifetimes differ: {answer}, {token}"
    shown = session.get(RESOURCE, timeout=TIMEOUT)
    assert shown.status_code == 200, f"the resource refused a new token: {shown.status_code} {shown.text}"
    assert shown.json()["session"]["client_id"] == client["client_id"], shown.text

    revoked = revoke(session, token["access_token"], "access_token", auth, body)
    assert (revoked.status_code, revoked.text) == (200, ""), f"revoke: {revoked.status_code} {revoked.text}"
    answer = introspect(session, token["access_token"], auth, body)
    assert answer == {"active": False}, f"a revoked token is introspected as {answer}"
    refused = session.get(RESOURCE, timeout=TIMEOUT)
    assert refused.status_code == 401, f"the resource took a revoked token: {refused.status_code}"
    again = revoke(session, token["access_token"], None, auth, body)
    assert again.status_code == 200, f"revoking twice: {again.status_code} {again.text}"


def a_pair_is_refreshed_and_revoked(introspector):
    pair = PARAMETERS["pair"]
    named = {"client_id": pair["client_id"]}
    saved = []
    session = prepared(
        OAuth2Session(
            pair["client_id"],
            token={**pair, "token_type": "Bearer"},
            auto_refresh_url=TOKEN,
            auto_refresh_kwargs=named,
            token_updater=saved.append,
        )
    )
    first = session.refresh_token(TOKEN, timeout=TIMEOUT)
    assert first["access_token"] != pair["access_token"], "a refresh gave the old access token"
    assert first["refresh_token"] != pair["refresh_token"], "a refresh gave the old refresh token"
    assert first["scope"] == ["orders:read", "orders:write"], f"refreshed scope is {first['scope']}"
    answer = introspect(session, first["access_token"], introspector)
    assert answer["active"] is True, f"a refreshed token is introspected as {answer}"
    assert answer["client_id"] == pair["client_id"], f"introspected client is {answer['client_id']}"
    assert session.get(RESOURCE, timeout=TIMEOUT).status_code == 200, "the resource refused a refreshed token"

    # An access token past its end: the library refreshes by itself before it calls.
    session.token = {**first, "expires_in": -30, "expires_at": 1}
    automatic = session.get(RESOURCE, timeout=TIMEOUT)
    assert automatic.status_code == 200, f"the resource refused an automatically refreshed token: {automatic.text}"
    (second,) = saved
    assert second["access_token"] != first["access_token"], "the automatic refresh gave the old access token"
    assert second["refresh_token"] != first["refresh_token"], "the automatic refresh gave the old refresh token"

    revoked = revoke(session, second["refresh_token"], "refresh_token", body=named)
    assert revoked.status_code == 200, f"revoke: {revoked.status_code} {revoked.text}"
    assert session.get(RESOURCE, timeout=TIMEOUT).status_code == 401, "the access token outlived its refresh token"
    answer = introspect(session, second["access_token"], introspector)
    assert answer == {"active": False}, f"a revoked pair is introspected as {answer}"
    assert_raises(InvalidGrantError, lambda: session.refresh_token(TOKEN, timeout=TIMEOUT))


def a_wrong_secret_is_an_invalid_client():
    wrong = {**ORDINARY, "client_secret": ORDINARY["client_secret"] + "x"}
    for include_client_id in (False, True):
        fetch = {**wrong, "include_client_id": include_client_id, "timeout": TIMEOUT}
        assert_raises(InvalidClientError, lambda: backend(wrong).fetch_token(TOKEN, **fetch))


def introspect(session, token, auth=None, body=None):
    """The library knows no introspection; this is a plain request of its session."""
    data = {"token": token, "token_type_hint": "access_token", **(body or {})}
    answer = session.post(INTROSPECT, data=data, auth=auth, withhold_token=True, timeout=TIMEOUT)
    assert answer.status_code == 200, f"introspect: {answer.status_code} {answer.text}"
    return answer.json()


def revoke(session, token, hint, auth=None, body=None):
    prepare = session._client.prepare_token_revocation_request
    url, headers, data = prepare(REVOKE, token, token_type_hint=hint, **(body or {}))
    return session.post(url, data=data, headers=headers, auth=auth, withhold_token=True, timeout=TIMEOUT)


def assert_raises(expected, call):
    try:
        got = call()
    except expected:
        return
    raise AssertionError(f"expected {expected.__name__}, got {got}")


def backend(client, scope=None):
    return prepared(OAuth2Session(client=BackendApplicationClient(client["client_id"], scope=scope)))


def prepared(session):
    # A proxy or a netrc file of whoever runs the tests has no part in them.
    session.trust_env = False
    return session


main()
