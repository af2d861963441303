// A token's whole life with simple-oauth2. The parameters are JSON on standard input (see parties.rs).

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { text } from 'node:stream/consumers';

// The package is found through NODE_PATH, which `import` does not look at.
const { AuthorizationCode, ClientCredentials } = createRequire(import.meta.url)('simple-oauth2');

const parameters = JSON.parse(await text(process.stdin));
const { issuer, migrated_client: migrated, ordinary_client: ordinary, pair } = parameters;
const auth = { tokenHost: issuer, tokenPath: '/oauth20/token', revokePath: '/oauth20/revoke' };
// Shows the session of the bearer token that it is called with.
const resource = `${issuer}/oauth20/access-token`;
const timeout = 30_000;

// Form-encodes id and secret in Basic as RFC 6749 section 2.3.1 has it.
const strictBasic = { authorizationMethod: 'header', credentialsEncodingMode: 'strict' };
// Joins them as they are, for servers that don't follow that section: an id with a colon can't be told from the secret.
const looseBasic = { authorizationMethod: 'header', credentialsEncodingMode: 'loose' };
const inBody = { authorizationMethod: 'body' };

// The body of an answer to a revocation is to be ignored (RFC 7009 section 2.2), and this service sends none, but the
// library takes nothing that isn't declared to be JSON. This is its documented option against that.
const anyType = { json: true };

try {
  await wholeLife(migrated, strictBasic);
  await wholeLife(migrated, inBody);
  await assertError('invalid_client', 401, confidential(migrated, looseBasic).getToken({}));
  await wholeLife(ordinary, looseBasic);
  await aPairIsRefreshedAndRevoked();
  await aWrongSecretIsAnInvalidClient();
  console.log('ok simple_oauth2_life');
} catch (error) {
  // The library's errors hold all of the request and its connection: some hundred lines that say nothing.
  console.error(error.stack, error.data?.payload ?? '');
  process.exitCode = 1;
}

async function wholeLife(client, options) {
  const token = await confidential(client, options).getToken({ scope: ['orders:read'] });
  const { access_token: secret, expires_in: expiresIn, ...rest } = token.token;
  assert.equal(rest.token_type, 'Bearer');
  assert.equal(rest.scope, 'orders:read', 'the scope that was asked for');
  assert.ok(expiresIn > 0 && expiresIn <= 86_400 && !token.expired(), `expires_in is ${expiresIn}`);
  assert.ok(!('refresh_token' in rest), 'client_credentials gave a refresh token (RFC 6749 section 4.4.3)');

  const answer = await introspect(secret);
  assert.equal(answer.active, true, `a new token is introspected as ${JSON.stringify(answer)}`);
  assert.equal(answer.scope, 'orders:read', 'introspected scope');
  assert.equal(answer.client_id, client.client_id, 'introspected client');
  assert.equal(answer.token_type, 'Bearer', 'introspected token_type');
  assert.equal(answer.exp - answer.iat, expiresIn, 'introspected lifetime');
  assert.equal(await statusOfResource(secret), 200, 'the resource, with a new token');

  await token.revoke('access_token', anyType);
  assert.deepEqual(await introspect(secret), { active: false }, 'a revoked token, introspected');
  assert.equal(await statusOfResource(secret), 401, 'the resource, with a revoked token');
  await token.revoke('access_token', anyType);
}

async function aPairIsRefreshedAndRevoked() {
  // A public client only names itself; the empty secret that the library adds is no secret (RFC 6749 section 3.2).
  const client = { id: pair.client_id, secret: '' };
  const app = new AuthorizationCode({ client, auth, http: { timeout }, options: inBody });
  const stored = app.createToken({ ...pair, token_type: 'Bearer', expires_in: -30 });
  assert.ok(stored.expired(), 'the stored token should look expired');

  const first = await stored.refresh();
  assert.notEqual(first.token.access_token, pair.access_token, 'a refresh gave the old access token');
  assert.notEqual(first.token.refresh_token, pair.refresh_token, 'a refresh gave the old refresh token');
  assert.equal(first.token.scope, 'orders:read orders:write', 'refreshed scope');
  assert.ok(!first.expired(), 'a refreshed token has expired');
  const answer = await introspect(first.token.access_token);
  assert.equal(answer.active, true, `a refreshed token is introspected as ${JSON.stringify(answer)}`);
  assert.equal(answer.client_id, pair.client_id, 'introspected client');
  assert.equal(await statusOfResource(first.token.access_token), 200, 'the resource, with a refreshed token');

  // Less scope for one access token; the refresh token keeps all of it (RFC 6749 section 6).
  const narrow = await first.refresh({ scope: 'orders:read' });
  assert.equal(narrow.token.scope, 'orders:read', 'narrowed scope');
  assert.equal((await introspect(narrow.token.access_token)).scope, 'orders:read', 'introspected narrowed scope');
  const last = await narrow.refresh();
  assert.equal(last.token.scope, 'orders:read orders:write', 'the scope after a narrowed refresh');

  // The access token first and the refresh token, which has died with it, second.
  await last.revokeAll(anyType);
  assert.deepEqual(await introspect(last.token.access_token), { active: false }, 'a revoked pair, introspected');
  assert.equal(await statusOfResource(last.token.access_token), 401, 'the resource, with a revoked pair');
  await assertError('invalid_grant', 400, last.refresh());
}

async function aWrongSecretIsAnInvalidClient() {
  const wrong = { ...ordinary, client_secret: `${ordinary.client_secret}x` };
  for (const options of [strictBasic, inBody]) {
    await assertError('invalid_client', 401, confidential(wrong, options).getToken({}));
    const token = confidential(wrong, options).createToken({ access_token: 'any' });
    await assertError('invalid_client', 401, token.revoke('access_token', anyType));
  }
}

function confidential(client, options) {
  return new ClientCredentials({
    client: { id: client.client_id, secret: client.client_secret }, auth, http: { timeout }, options,
  });
}

// The library knows no introspection. URLSearchParams form-encodes like the library's strict mode.
async function introspect(token) {
  const encoded = (word) => new URLSearchParams([['', word]]).toString().slice(1);
  const credentials = btoa(`${encoded(migrated.client_id)}:${encoded(migrated.client_secret)}`);
  const answer = await fetch(`${issuer}/oauth20/introspect`, {
    method: 'POST',
    headers: { authorization: `Basic ${credentials}` },
    body: new URLSearchParams({ token }),
    signal: AbortSignal.timeout(timeout),
  });
  assert.equal(answer.status, 200, 'introspect');
  return answer.json();
}

async function statusOfResource(token) {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(resource, { headers, signal: AbortSignal.timeout(timeout) });
  await answer.arrayBuffer();
  return answer.status;
}

async function assertError(code, status, call) {
  await assert.rejects(call, (error) => {
    assert.equal(error.output?.statusCode, status, `status of ${error}`);
    assert.equal(error.data?.payload?.error, code, `error of ${error}`);
    return true;
  });
}
