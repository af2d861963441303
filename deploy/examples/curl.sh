#!/usr/bin/env bash
# A client's life with curl. Reads JETON_URL, CLIENT_ID and CLIENT_SECRET.
set -euo pipefail

# The secret goes through a file descriptor: in the arguments every user of the machine could read it.
as_client() {
    curl --silent --show-error --fail-with-body --config <(printf 'user = "%s:%s"\n' "$CLIENT_ID" "$CLIENT_SECRET") "$@"
}
member() { # NAME: of a flat JSON object on standard input
    sed -n "s/.*\"$1\":\"\\{0,1\\}\\([^\",}]*\\).*/\\1/p"
}

# A token of the client's own (RFC 6749 section 4.4).
token=$(as_client "$JETON_URL/oauth20/token" --data grant_type=client_credentials --data scope=orders:read | member access_token)

# Used: the bearer token in a header (RFC 6750). Here the service asked is the one that a gateway asks.
status() {
    curl --silent --output /dev/null --write-out '%{http_code}' "$JETON_URL/oauth20/verify?scope=orders:read" \
        --config <(printf 'header = "Authorization: Bearer %s"\n' "$token")
}
[[ $(status) == 200 ]]

# Asked about (RFC 7662), as a service that has got it would do.
[[ $(as_client "$JETON_URL/oauth20/introspect" --data-urlencode token@<(printf %s "$token") | member active) == true ]]

# Revoked (RFC 7009): from here on nobody accepts it.
as_client "$JETON_URL/oauth20/revoke" --data-urlencode token@<(printf %s "$token")
[[ $(status) == 401 ]]
echo ok
