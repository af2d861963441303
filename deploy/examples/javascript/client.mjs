// A client's life with simple-oauth2 (npm install simple-oauth2). Reads JETON_URL, CLIENT_ID and CLIENT_SECRET.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const { ClientCredentials } = createRequire(import.meta.url)('simple-oauth2');

const { JETON_URL, CLIENT_ID, CLIENT_SECRET } = process.env;
const orders = `${JETON_URL}/oauth20/verify?scope=orders:read`; // put your service's URL here

const client = new ClientCredentials({
  client: { id: CLIENT_ID, secret: CLIENT_SECRET },
  auth: { tokenHost: JETON_URL, tokenPath: '/oauth20/token', revokePath: '/oauth20/revoke' },
  // An answer to a revocation has no body; the library wants to be told that it may be of any type.
  http: { json: true },
});

// A token of the client's own (RFC 6749 section 4.4). When it has expired: get another.
const token = await client.getToken({ scope: 'orders:read' });
const headers = { authorization: `Bearer ${token.token.access_token}` };
assert.equal((await fetch(orders, { headers })).status, 200);

// Asked about (RFC 7662), as a service that has got it would do.
const basic = Buffer.from(`${encodeURIComponent(CLIENT_ID)}:${encodeURIComponent(CLIENT_SECRET)}`).toString('base64');
const answer = await fetch(`${JETON_URL}/oauth20/introspect`, {
  method: 'POST',
  headers: { authorization: `Basic ${basic}` },
  body: new URLSearchParams({ token: token.token.access_token }),
});
assert.equal((await answer.json()).active, true);

// Revoked (RFC 7009): from here on nobody accepts it.
await token.revoke('access_token');
assert.equal((await fetch(orders, { headers })).status, 401);
console.log('ok');
