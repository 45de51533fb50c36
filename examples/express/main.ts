import assert from 'node:assert/strict';
import { createMemoryStore } from '@unexpired/core';
import { HOUR_MS, listen, passTime, startServers, tell } from '../scenery.ts';
import { createAccounts, createApp } from './app.ts';

const users = ['ann', 'bob', 'eve'];
await using servers = await startServers({
  apiServer: { respond: ({ bearerToken }) => ({ body: { owner: ownerOf(bearerToken) } }) },
});
const { apiServer, authorizationServer } = servers;

/** Whose an access token is, by the grant that it was obtained with. */
function ownerOf(accessToken: string | undefined): string | undefined {
  const { exchanges } = authorizationServer;
  return exchanges.find(({ issued }) => issued?.access_token === accessToken)?.presentation?.account;
}

const apiUrl = apiServer.origin;
const tokensOf = createAccounts({
  apiUrl,
  issuer: authorizationServer.issuer,
  clientId: 'web-app',
  clientSecret: 'loopback-secret',
  store: createMemoryStore(),
});
const signedIn = await Promise.all(users.map((account) => authorizationServer.signIn({ account })));
await Promise.all(users.map((user, i) => tokensOf(user).signIn(signedIn[i]!)));

// In place of a session middleware, loopback requests say who they are.
const app = createApp({ apiUrl, tokensOf, userOf: (request) => request.get('Test-User') });
await using site = await listen(app);
const get = async (user?: string): Promise<{ status: number; body: unknown }> => {
  const response = await fetch(`${site.origin}/reports`, { headers: user ? { 'Test-User': user } : {} });
  assert.equal(response.headers.get('Cache-Control'), 'private, no-store');
  return { status: response.status, body: await response.json() };
};
const getForAll = async (names: readonly string[]): Promise<void> => {
  const answers = await Promise.all(names.map(get));
  assert.deepEqual(
    answers,
    names.map((owner) => ({ status: 200, body: { owner } })),
  );
};

passTime(2 * HOUR_MS);
await getForAll([...users, ...users, ...users]);
assert.equal(authorizationServer.exchanges.length, 3);
assert.ok(apiServer.requests.every(({ status }) => status === 200));
tell('expired: 9 requests of 3 users at once, 1 refresh for each, nobody got the data of another');

authorizationServer.revokeAccessTokens('bob');
authorizationServer.revokeGrant(signedIn[2]!.refresh_token);
await getForAll(['ann', 'bob', 'ann', 'bob']);
assert.equal(authorizationServer.exchanges.length, 4);
assert.deepEqual(await get('eve'), { status: 403, body: { error: 'connect_again' } });
assert.deepEqual(await get('eve'), { status: 403, body: { error: 'connect_again' } });
assert.deepEqual(await get(), { status: 401, body: { error: 'not_signed_in' } });
await getForAll(['ann', 'bob']);
assert.equal(authorizationServer.exchanges.length, 5);
assert.deepEqual(authorizationServer.reuses, []);
tell("revoked: one user's ended grant is told to that user alone");
