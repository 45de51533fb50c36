import { afterEach, expect, test } from '@jest/globals';
import type { TokenResponse } from '@unexpired/core';
import {
  createAuthorizationServer,
  createFakeClock,
  type AuthorizationServer,
  type AuthorizationServerOptions,
} from '@unexpired/testing';
import { post, postRefresh, refresh } from './token-requests.ts';

let server: AuthorizationServer;

async function start(options: AuthorizationServerOptions = {}): Promise<void> {
  server = await createAuthorizationServer(options);
}

afterEach(() => server.close());

test('a sign-in answers what the options say, with wire names', async () => {
  await start({ expiresIn: 0.5, refreshIn: 0.25 });

  const tokens: TokenResponse = await server.signIn({ scope: 'read write' });

  expect(tokens).toEqual({
    access_token: expect.any(String),
    token_type: 'Bearer',
    expires_in: 0.5,
    refresh_in: 0.25,
    refresh_token: expect.any(String),
    scope: 'read write',
  });
  expect(await server.signIn({ expiresIn: 7 })).toMatchObject({ expires_in: 7 });
});

test('an access token expires by the given clock', async () => {
  const clock = createFakeClock();
  await start({ clock, expiresIn: 2 });
  const { access_token } = await server.signIn();
  await clock.advance(1999);
  expect(server.isAccessTokenValid(access_token)).toBe(true);

  await clock.advance(1);

  expect(server.isAccessTokenValid(access_token)).toBe(false);
});

test('no token and an unknown token are not valid', async () => {
  await start();

  expect(server.isAccessTokenValid(undefined)).toBe(false);
  expect(server.isAccessTokenValid('made-up')).toBe(false);
});

test('a refresh token is no access token', async () => {
  await start();
  const { refresh_token } = await server.signIn();

  expect(server.isAccessTokenValid(refresh_token)).toBe(false);
});

test('revoking an access token leaves its grant and its siblings alive', async () => {
  await start();
  const first = await server.signIn();
  const second = await refresh(server, first.refresh_token);

  server.revokeAccessToken(first.access_token);

  expect(server.isAccessTokenValid(first.access_token)).toBe(false);
  expect(server.isAccessTokenValid(second.body.access_token)).toBe(true);
  expect(server.isGrantAlive(first.access_token)).toBe(true);
});

test('revoking the access tokens of one account leaves those of others', async () => {
  await start();
  const [ann, bob] = [await server.signIn({ account: 'ann' }), await server.signIn({ account: 'bob' })];

  server.revokeAccessTokens('ann');

  expect(server.isAccessTokenValid(ann.access_token)).toBe(false);
  expect(server.isAccessTokenValid(bob.access_token)).toBe(true);
  server.revokeAccessTokens();
  expect(server.isAccessTokenValid(bob.access_token)).toBe(false);
  expect((await refresh(server, ann.refresh_token)).status).toBe(200);
});

test('revoking a grant ends its refresh token without counting as reuse', async () => {
  await start();
  const { access_token, refresh_token } = await server.signIn();

  server.revokeGrant(access_token);

  expect(server.isAccessTokenValid(access_token)).toBe(false);
  expect((await refresh(server, refresh_token)).body['error']).toBe('invalid_grant');
  expect(server.presentations[0]?.outcome).toBe('dead');
  expect(server.reuses).toEqual([]);
});

test('asking about a token of another server is an error of the test', async () => {
  await start();

  expect(() => server.isGrantAlive('made-up')).toThrow(TypeError);
  expect(() => server.revokeAccessToken('made-up')).toThrow('not one that this server issued');
});

test('the revocation endpoint ends a grant by its refresh token and one access token by itself', async () => {
  await start();
  const [ann, bob] = [await server.signIn(), await server.signIn()];
  const revokeRemotely = (token: string): Promise<Response> =>
    fetch(server.revocationEndpoint, {
      method: 'POST',
      body: new URLSearchParams({ token, client_id: 'cli' }),
    });

  const statuses = [];
  for (const token of [ann.refresh_token, bob.access_token, 'made-up'])
    statuses.push((await revokeRemotely(token)).status);

  expect(statuses).toEqual([200, 200, 200]);
  expect(server.isGrantAlive(ann.refresh_token)).toBe(false);
  expect(server.isAccessTokenValid(ann.access_token)).toBe(false);
  expect(server.isAccessTokenValid(bob.access_token)).toBe(false);
  expect(server.isGrantAlive(bob.refresh_token)).toBe(true);
  expect(server.revocations).toEqual([ann.refresh_token, bob.access_token, 'made-up']);
});

test.each(['oauth-authorization-server', 'openid-configuration'])('metadata is found at %s', async (name) => {
  await start();

  const metadata = await (await fetch(`${server.issuer}/.well-known/${name}`)).json();

  expect(metadata).toMatchObject({
    issuer: server.issuer,
    token_endpoint: server.tokenEndpoint,
    revocation_endpoint: server.revocationEndpoint,
    grant_types_supported: ['refresh_token', 'client_credentials'],
  });
  expect(server.metadataRequests).toBe(1);
});

test('another path is not found', async () => {
  await start();

  expect((await fetch(`${server.origin}/authorize`)).status).toBe(404);
});

test('an exchange records what the request said and what it brought', async () => {
  await start();
  const { refresh_token } = await server.signIn();

  const parameters = { grant_type: 'refresh_token', refresh_token, client_id: 'cli', resource: 'https://a' };
  await post(server, parameters, { headers: { 'x-trace': '7' } });

  const [exchange] = server.exchanges;
  expect(exchange).toMatchObject({
    method: 'POST',
    grantType: 'refresh_token',
    clientId: 'cli',
    status: 200,
  });
  expect(exchange?.clientAuthentication).toBe('none');
  expect(exchange?.parameters.get('resource')).toBe('https://a');
  expect(exchange?.headers['x-trace']).toBe('7');
  expect(exchange?.presentation).toBe(server.presentations[0]);
  expect(server.isAccessTokenValid(exchange?.issued?.access_token)).toBe(true);
});

test('requestArrived waits for the request of that number and finds those that came before', async () => {
  await start();
  const { refresh_token } = await server.signIn();
  const second = server.requestArrived(2);
  const answers = [postRefresh(server, refresh_token), postRefresh(server, refresh_token)];

  expect(await second).toBe(server.exchanges[1]);
  expect(await server.requestArrived()).toBe(server.exchanges[0]);
  await Promise.all(answers);
});

test('closing rejects whoever still waits for a request', async () => {
  await start();
  const waiting = server.requestArrived(1);

  await server.close();

  await expect(waiting).rejects.toThrow('The server was closed after 0 token request(s)');
  await expect(server.requestArrived(1)).rejects.toThrow('number 1');
});

test('a closed server refuses connections, also those that were kept alive, and closing twice is fine', async () => {
  await start();
  const { refresh_token } = await server.signIn();
  await refresh(server, refresh_token);

  await server[Symbol.asyncDispose]();
  await server.close();

  await expect(postRefresh(server, refresh_token)).rejects.toThrow('fetch failed');
});

test('without cors no page may read the answers', async () => {
  await start();

  const answer = await post(server, { grant_type: 'x' }, { headers: { origin: 'https://app.example' } });

  expect(answer.headers.get('access-control-allow-origin')).toBeNull();
});

test('with cors a page of another origin may read the answers, after a preflight', async () => {
  await start({ cors: true });
  const preflight = await fetch(server.tokenEndpoint, {
    method: 'OPTIONS',
    headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' },
  });
  expect(preflight.headers.get('access-control-allow-methods')).toBe('POST');

  const answer = await post(server, { grant_type: 'x' }, { headers: { origin: 'https://app.example' } });

  expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.example');
  expect(server.exchanges).toHaveLength(1);
});
