// An OpenID Connect provider on the loopback interface, with keys of its own at each start. Parameters are JSON on standard
// input (see ../console/provider.rs). Whoever names one of `people` at its page is signed in: it asks for no password.

import { randomUUID, generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';

// The package is found through NODE_PATH, which `import` does not look at.
const found = createRequire(import.meta.url).resolve('oidc-provider');
const { Provider } = await import(pathToFileURL(found));

const { port, client, people, claims_in_id_token: claimsInIdToken } = JSON.parse(await text(process.stdin));
const issuer = `http://127.0.0.1:${port}`;
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

const provider = new Provider(issuer, {
  clients: [client],
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: randomUUID() }] },
  cookies: { keys: [randomUUID()] },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['preferred_username', 'groups'] },
  conformIdTokenClaims: !claimsInIdToken,
  features: { devInteractions: { enabled: false } },
  pkce: { required: () => true },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_, id) => people[id] && { accountId: id, claims: () => ({ sub: id, ...people[id] }) },
  // What is asked for is granted: nobody here is asked about it.
  loadExistingGrant: async ({ oidc }) => {
    const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
    grant.addOIDCScope('openid profile email');
    await grant.save();
    return grant;
  },
});

const page = `<!doctype html><html lang="en"><title>Provider</title><main><h1>Who are you?</h1>
<form method="post"><input name="login" autofocus><button name="do" value="in">Sign in</button>
<button name="do" value="cancel">Cancel</button></form></main></html>`;

// Its own mistakes are the reader's business.
provider.on('server_error', (_, error) => console.error(error));

const answer = provider.callback();
createServer(async (request, response) => {
  if (!request.url.startsWith('/interaction/')) return answer(request, response);
  if (request.method !== 'POST') return response.setHeader('content-type', 'text/html').end(page);
  const form = new URLSearchParams(await text(request));
  const result = form.get('do') === 'cancel'
    ? { error: 'access_denied', error_description: '<script>alert(1)</script> call 0800' }
    : { login: { accountId: form.get('login') } };
  return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}).listen(port, '127.0.0.1', () => console.log('ready'));
