import { afterEach, expect, test } from '@jest/globals';
import { createAuthorizationServer, type AuthorizationServer } from '@unexpired/testing';

let server: AuthorizationServer;

afterEach(() => server.close());

function refresh(refreshToken: string, more: Record<string, string> = {}): Promise<Response> {
  return fetch(server.tokenEndpoint, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: refreshToken,
      client_id: 'cli',
      ...more,
    }),
  });
}

test('a refresh token that is presented twice ends the grant and its access tokens', async () => {
  server = await createAuthorizationServer();
  const first = await server.signIn();
  const second = (await (await refresh(first.refresh_token)).json()) as Record<string, string>;
  expect(server.isAccessTokenValid(second['access_token'])).toBe(true);

  const reuse = await refresh(first.refresh_token);

  expect(reuse.status).toBe(400);
  expect(await reuse.json()).toMatchObject({ error: 'invalid_grant' });
  expect(server.reuses).toHaveLength(1);
  expect(server.isGrantAlive(first.refresh_token)).toBe(false);
  expect(server.isAccessTokenValid(first.access_token)).toBe(false);
  expect(server.isAccessTokenValid(second['access_token'])).toBe(false);
  expect((await refresh(String(second['refresh_token']))).status).toBe(400);
  expect(server.presentations.map(({ outcome }) => outcome)).toEqual(['accepted', 'reuse', 'dead']);
});
