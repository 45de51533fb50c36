import assert from 'node:assert/strict';
import { createTokenSource, type TokenSource } from '@unexpired/core';
import { createAuthorizationServer, createResourceServer } from '@unexpired/testing';

/** Sends one request and answers the status that the caller saw. */
export type Send = (request: { url: string; method: 'GET' | 'POST'; body?: string }) => Promise<number>;

/** What an adapter has to do with the oldest client that its peer range admits. */
export async function prove(connect: (tokens: TokenSource) => Send): Promise<void> {
  await using server = await createAuthorizationServer();
  await using api = await createResourceServer({ accepts: server.isAccessTokenValid });
  await using elsewhere = await createResourceServer({ accepts: () => true });
  const first = await server.signIn({ expiresIn: -1 });
  await using tokens = createTokenSource({
    origins: [api.origin],
    tokens: first,
    refresh({ refreshToken = '', signal }) {
      const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken });
      return fetch(server.tokenEndpoint, { method: 'POST', body, signal });
    },
  });
  const send = connect(tokens);
  const statuses = (): unknown[] => api.requests.map(({ status }) => status);

  assert.equal(await send({ url: `${api.origin}/`, method: 'GET' }), 200);
  assert.deepEqual(statuses(), [200], 'an expired access token is refreshed before anything is sent');
  assert.equal(server.exchanges.length, 1);

  server.revokeAccessTokens();
  const body = JSON.stringify({ text: 'söme bytes'.repeat(1000) });
  assert.equal(await send({ url: `${api.origin}/`, method: 'POST', body }), 200);
  assert.deepEqual(statuses(), [200, 401, 200], 'a 401 is answered with one replay');
  assert.equal(server.exchanges.length, 2, 'a 401 costs one refresh');
  for (const request of api.requests.slice(1)) assert.equal(request.body.toString(), body);

  api.next({ respond: { status: 302, headers: { Location: `${elsewhere.origin}/landing` } } });
  assert.equal(await send({ url: `${api.origin}/`, method: 'GET' }), 200);
  assert.equal(api.requests.at(-1)?.authorization.length, 1);
  assert.deepEqual(
    elsewhere.requests.map(({ url, authorization }) => [url, authorization]),
    [['/landing', []]],
    'a redirect takes no access token to another origin',
  );
  assert.deepEqual(server.reuses, []);
}
