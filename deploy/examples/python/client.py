"""A client's life with Authlib (pip install Authlib requests). Reads JETON_URL, CLIENT_ID and CLIENT_SECRET."""

import os

from authlib.integrations.requests_client import OAuth2Session

JETON = os.environ["JETON_URL"]
ORDERS = JETON + "/oauth20/verify?scope=orders:read"  # put your service's URL here

session = OAuth2Session(os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"], scope="orders:read")

# A token of the client's own (RFC 6749 section 4.4), kept in the session and sent with each of its requests.
token = session.fetch_token(JETON + "/oauth20/token", grant_type="client_credentials")
session.get(ORDERS).raise_for_status()

# Asked about (RFC 7662), as a service that has got it would do.
answer = session.introspect_token(JETON + "/oauth20/introspect", token["access_token"]).json()
assert answer["active"] and answer["client_id"] == session.client_id, answer

# Revoked (RFC 7009): from here on nobody accepts it.
session.revoke_token(JETON + "/oauth20/revoke", token["access_token"]).raise_for_status()
assert session.get(ORDERS).status_code == 401
print("ok")
