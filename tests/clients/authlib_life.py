"""A token's whole life with Authlib. The parameters are JSON on standard input (see parties.rs)."""

import base64
import json
import sys
from urllib.parse import quote_plus

from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session

PARAMETERS = json.load(sys.stdin)
ISSUER = PARAMETERS["issuer"]
TOKEN = ISSUER + "/oauth20/token"
REVOKE = ISSUER + "/oauth20/revoke"
INTROSPECT = ISSUER + "/oauth20/introspect"
# Shows the session of the bearer token that it is called with.
RESOURCE = ISSUER + "/oauth20/access-token"

MIGRATED = PARAMETERS["migrated_client"]
ORDINARY = PARAMETERS["ordinary_client"]


def main():
    # Authlib's own client_secret_basic joins id and secret as they are, where RFC 6749 section 2.3.1 wants each
    # form-encoded first. An id with a colon can't be told from the secret then; its documentation offers
    # client_secret_post for a server that it doesn't get on with.
    assert_error("invalid_client", lambda: confidential(MIGRATED).fetch_token(TOKEN))
    whole_life(confidential(MIGRATED, "client_secret_post"), MIGRATED)
    # An authentication method of one's own is the other way that it documents.
    form_encoded = confidential(MIGRATED, "form_encoded_basic")
    form_encoded.register_client_auth_method(("form_encoded_basic", form_encoded_basic))
    whole_life(form_encoded, MIGRATED)
    # What this service makes itself is the same form-encoded or not.
    whole_life(confidential(ORDINARY, "client_secret_basic"), ORDINARY)
    a_pair_is_refreshed_and_revoked()
    for method in ("client_secret_basic", "client_secret_post"):
        a_wrong_secret_is_an_invalid_client(method)
    print("ok authlib_life")


def whole_life(session, client):
    token = session.fetch_token(TOKEN, grant_type="client_credentials", scope="orders:read")
    assert token["token_type"] == "Bearer", f"token_type is {token['token_type']}"
    assert token["scope"] == "orders:read", f"asked for orders:read, got {token['scope']}"
    assert 0 < token["expires_in"] <= 86400 and not token.is_expired(), f"expires_in is {token['expires_in']}"
    assert "refresh_token" not in token, "client_credentials gave a refresh token (RFC 6749 section 4.4.3)"

    answer = session.introspect_token(INTROSPECT, token["access_token"], "access_token").json()
    assert answer["active"] is True, f"a new token is introspected as {answer}"
    assert answer["scope"] == "orders:read", f"introspected scope is {answer['scope']}"
    assert answer["client_id"] == client["client_id"], f"introspected client is {answer['client_id']}"
    assert answer["token_type"] == "Bearer", f"introspected token_type is {answer['token_type']}"
    assert answer["exp"] - answer["iat"] == token["expires_in"], f"lifetimes differ: {answer}, {token}"
    shown = session.get(RESOURCE)
    assert shown.status_code == 200, f"the resource refused a new token: {shown.status_code} {shown.text}"
    assert shown.json()["session"]["client_id"] == client["client_id"], shown.text

    revoked = session.revoke_token(REVOKE, token["access_token"], "access_token")
    assert (revoked.status_code, revoked.text) == (200, ""), f"revoke: {revoked.status_code} {revoked.text}"
    answer = session.introspect_token(INTROSPECT, token["access_token"]).json()
    assert answer == {"active": False}, f"a revoked token is introspected as {answer}"
    refused = session.get(RESOURCE)
    assert refused.status_code == 401, f"the resource took a revoked token: {refused.status_code}"
    again = session.revoke_token(REVOKE, token["access_token"])
    assert again.status_code == 200, f"revoking twice: {again.status_code} {again.text}"


def a_pair_is_refreshed_and_revoked():
    pair = PARAMETERS["pair"]
    saved = []
    session = prepared(
        OAuth2Session(
            client_id=pair["client_id"],
            token={**pair, "token_type": "Bearer"},
            token_endpoint=TOKEN,
            update_token=lambda token, refresh_token=None, access_token=None: saved.append((token, refresh_token)),
        )
    )
    first = dict(session.refresh_token(TOKEN))
    assert first["access_token"] != pair["access_token"], "a refresh gave the old access token"
    assert first["refresh_token"] != pair["refresh_token"], "a refresh gave the old refresh token"
    assert first["scope"] == "orders:read orders:write", f"refreshed scope is {first['scope']}"
    answer = confidential(ORDINARY).introspect_token(INTROSPECT, first["access_token"]).json()
    assert answer["active"] is True, f"a refreshed token is introspected as {answer}"
    assert answer["client_id"] == pair["client_id"], f"introspected client is {answer['client_id']}"
    assert session.get(RESOURCE).status_code == 200, "the resource refused a refreshed token"

    # An access token past its end: the library refreshes by itself before it calls.
    session.token = {**first, "expires_at": 1}
    assert session.get(RESOURCE).status_code == 200, "the resource refused an automatically refreshed token"
    second, replaced = saved[-1]
    assert replaced == first["refresh_token"], "the automatic refresh used another refresh token"
    assert second["access_token"] != first["access_token"], "the automatic refresh gave the old access token"
    assert second["refresh_token"] != first["refresh_token"], "the automatic refresh gave the old refresh token"

    revoked = session.revoke_token(REVOKE, second["refresh_token"], "refresh_token")
    assert revoked.status_code == 200, f"revoke: {revoked.status_code} {revoked.text}"
    assert session.get(RESOURCE).status_code == 401, "the access token outlived its refresh token"
    answer = confidential(ORDINARY).introspect_token(INTROSPECT, second["access_token"]).json()
    assert answer == {"active": False}, f"a revoked pair is introspected as {answer}"
    assert_error("invalid_grant", lambda: session.refresh_token(TOKEN))


def a_wrong_secret_is_an_invalid_client(method):
    wrong = {**ORDINARY, "client_secret": ORDINARY["client_secret"] + "x"}
    assert_error("invalid_client", lambda: confidential(wrong, method).fetch_token(TOKEN))
    # The library hands these two answers on as they are.
    for answer in (
        confidential(wrong, method).introspect_token(INTROSPECT, "any"),
        confidential(wrong, method).revoke_token(REVOKE, "any"),
    ):
        assert answer.status_code == 401, f"{method}: {answer.status_code} {answer.text}"
        assert answer.json()["error"] == "invalid_client", f"{method}: {answer.text}"


def assert_error(code, call):
    try:
        got = call()
    except OAuthError as error:
        assert error.error == code, f"expected the error {code}, got {error}"
    else:
        raise AssertionError(f"expected the error {code}, got {got}")


def confidential(client, method="client_secret_basic"):
    return prepared(
        OAuth2Session(
            client["client_id"],
            client["client_secret"],
            token_endpoint_auth_method=method,
            revocation_endpoint_auth_method=method,
        )
    )


def form_encoded_basic(client, method, uri, headers, body):
    """client_secret_basic as RFC 6749 section 2.3.1 has it."""
    credentials = quote_plus(client.client_id) + ":" + quote_plus(client.client_secret)
    headers["Authorization"] = "Basic " + base64.b64encode(credentials.encode()).decode()
    return uri, headers, body


def prepared(session):
    # A proxy or a netrc file of whoever runs the tests has no part in them.
    session.trust_env = False
    session.default_timeout = 30
    return session


main()
