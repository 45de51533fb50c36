import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import {
  createMemoryStore,
  createTokenSource,
  type AccessTokenError,
  type TokenSource,
  type TokenSourceOptions,
} from '@unexpired/core';
import { clientCredentialsGrant, refreshTokenGrant, type GrantOptions } from '@unexpired/oauth';
import { createFakeClock, faults, type AuthorizationServer } from '@unexpired/testing';
import { closing, rejection, startServer, textOf } from './calls.ts';

function sourceOf(options: Partial<TokenSourceOptions> & Pick<TokenSourceOptions, 'refresh'>): TokenSource {
  // Delays are the injected clock's, and none is longer than nothing.
  return closing(createTokenSource({ origins: ['https://api.example.com'], random: () => 0, ...options }));
}

function clientOf({ tokenEndpoint }: AuthorizationServer, options: Partial<GrantOptions> = {}): GrantOptions {
  return { tokenEndpoint, clientId: 'cli', ...options };
}

describe('refreshTokenGrant in a token source', () => {
  test('follows the rotation over many generations and never shows a refresh token twice', async () => {
    const clock = createFakeClock();
    const server = await startServer({ clock, expiresIn: 60 });
    const { refresh_token: first } = await server.signIn();
    const source = sourceOf({
      refresh: refreshTokenGrant(clientOf(server)),
      tokens: { refresh_token: first },
      clock,
    });

    for (let generation = 1; generation <= 5; generation += 1) {
      const accessToken = await source.getAccessToken();
      expect(server.isAccessTokenValid(accessToken)).toBe(true);
      expect(server.presentations).toHaveLength(generation);
      clock.step(60_000);
    }

    expect(server.presentations.map(({ outcome }) => outcome)).toEqual(Array(5).fill('accepted'));
    expect(server.reuses).toEqual([]);
  });

  test.each([
    ['503, 503, 200', [{ respond: { status: 503 } }, { respond: { status: 503 } }]],
    ['two resets before anything took effect', [{ reset: 'request' }, { reset: 'request' }]],
  ] as const)('succeeds through %s', async (_, troubles) => {
    const server = await startServer();
    const { refresh_token: refreshToken } = await server.signIn();
    server.next(...troubles);
    const source = sourceOf({
      refresh: refreshTokenGrant(clientOf(server)),
      tokens: { refresh_token: refreshToken },
    });

    expect(server.isAccessTokenValid(await source.getAccessToken())).toBe(true);
    expect(server.exchanges).toHaveLength(3);
  });

  test('a refused grant asks for a sign-in, which cures it', async () => {
    const server = await startServer();
    const { refresh_token: refreshToken } = await server.signIn();
    server.revokeGrant(refreshToken);
    const source = sourceOf({
      refresh: refreshTokenGrant(clientOf(server)),
      tokens: { refresh_token: refreshToken },
    });

    await expect(source.getAccessToken()).rejects.toMatchObject({ code: 'ERR_REAUTHENTICATION_REQUIRED' });
    await expect(source.getAccessToken()).rejects.toMatchObject({ code: 'ERR_REAUTHENTICATION_REQUIRED' });
    expect(server.exchanges).toHaveLength(1);

    const { refresh_token: next } = await server.signIn();
    await source.signIn({ refresh_token: next });
    expect(server.isAccessTokenValid(await source.getAccessToken())).toBe(true);
  });

  test('a store without tokens asks for a sign-in, sends nothing, and a sign-in cures it', async () => {
    const server = await startServer();
    const source = sourceOf({ refresh: refreshTokenGrant({ issuer: server.issuer, clientId: 'cli' }) });

    await expect(source.getAccessToken()).rejects.toMatchObject({
      code: 'ERR_REAUTHENTICATION_REQUIRED',
      permanent: true,
      message:
        "The refresh of account 'default' failed: There is no refresh token to present. Sign in again and hand the token response to signIn().",
    });
    expect(server.metadataRequests).toBe(0);

    const { refresh_token: refreshToken } = await server.signIn();
    await source.signIn({ refresh_token: refreshToken });
    expect(server.isAccessTokenValid(await source.getAccessToken())).toBe(true);
  });

  test('a wrong client is a misconfiguration and costs no refresh token', async () => {
    const server = await startServer({ clients: [{ clientId: 'cli', clientSecret: 'right' }] });
    const { refresh_token: refreshToken } = await server.signIn();
    const refresh = refreshTokenGrant(clientOf(server, { clientSecret: 'canary-wrong' }));
    const source = sourceOf({ refresh, tokens: { refresh_token: refreshToken } });

    const error = await rejection(source.getAccessToken());

    expect(error).toMatchObject({
      code: 'ERR_MISCONFIGURED',
      message: expect.stringContaining('answered 401 with invalid_client'),
      cause: { status: 401, error: 'invalid_client' },
    });
    expect(server.isGrantAlive(refreshToken)).toBe(true);
    expect(server.exchanges).toHaveLength(1);
  });

  test('a redirect is a misconfiguration', async () => {
    const server = await startServer();
    const { refresh_token: refreshToken } = await server.signIn();
    server.always({ respond: { status: 307, headers: { Location: `${server.issuer}/elsewhere` } } });
    const source = sourceOf({
      refresh: refreshTokenGrant(clientOf(server)),
      tokens: { refresh_token: refreshToken },
    });

    await expect(source.getAccessToken()).rejects.toMatchObject({
      code: 'ERR_MISCONFIGURED',
      message: expect.stringContaining('a redirect, which is never followed with a refresh token'),
    });
    expect(server.exchanges).toHaveLength(1);
  });

  test('keeps its binding in the record, and sends nothing for a record of another client', async () => {
    const server = await startServer();
    const store = createMemoryStore();
    const { refresh_token: refreshToken } = await server.signIn();
    const source = sourceOf({
      refresh: refreshTokenGrant(clientOf(server)),
      tokens: { refresh_token: refreshToken },
      store,
    });
    await source.getAccessToken();
    const binding = { tokenEndpoint: server.tokenEndpoint, clientId: 'cli' };
    expect(await store.read('default')).toMatchObject({ binding });
    await source.close();

    const other = sourceOf({ refresh: refreshTokenGrant(clientOf(server, { clientId: 'other' })), store });
    await expect(other.getAccessToken()).rejects.toMatchObject({ code: 'ERR_ACCOUNT_MISMATCH' });
    expect(server.exchanges).toHaveLength(1);
  });
});

describe('clientCredentialsGrant in a token source', () => {
  const client = { clientId: 'svc', clientSecret: 'right' };

  test('needs no sign-in and obtains the next access token when one expires', async () => {
    const clock = createFakeClock();
    const server = await startServer({ clock, expiresIn: 60, clients: [client] });
    const refresh = clientCredentialsGrant({ issuer: server.issuer, scope: 'read', ...client });
    const source = sourceOf({ refresh, clock });

    const [first, same] = await Promise.all([source.getAccessToken(), source.getAccessToken()]);
    expect(same).toBe(first);
    clock.step(60_000);
    const second = await source.getAccessToken();

    expect(second).not.toBe(first);
    expect(server.isAccessTokenValid(second)).toBe(true);
    expect(server.exchanges.map(({ grantType }) => grantType)).toEqual([
      'client_credentials',
      'client_credentials',
    ]);
    expect(server.metadataRequests).toBe(1);
  });

  test('signs a new assertion for each attempt of one refresh', async () => {
    const pair = (await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])) as CryptoKeyPair;
    const publicKey = { ...(await crypto.subtle.exportKey('jwk', pair.publicKey)) };
    const server = await startServer({ clients: [{ clientId: 'svc', publicKey }] });
    // The assertion is used up, and its answer does not get through.
    server.next({ reset: 'answer' }, { reset: 'answer' });
    const clientAuthentication = { method: 'private_key_jwt', key: pair.privateKey } as const;
    const refresh = clientCredentialsGrant(clientOf(server, { clientId: 'svc', clientAuthentication }));

    await sourceOf({ refresh }).getAccessToken();

    const ids = server.exchanges.map(({ assertionId }) => assertionId);
    expect(new Set(ids).size).toBe(3);
    expect(ids).not.toContain(undefined);
  });
});

describe('no secret', () => {
  const clientSecret = 'canary-secret';
  const refreshToken = 'canary-refresh-token';

  function shown(error: unknown): string {
    const { message, stack, cause } = error as AccessTokenError;
    const texts = [error, cause].map((value) => inspect(value, { depth: Infinity, showHidden: true }));
    return [message, stack, String(error), JSON.stringify(error), JSON.stringify(cause), ...texts].join('\n');
  }

  test.each([
    ['invalid_grant', faults.oauthError('invalid_grant')],
    ['invalid_client', faults.oauthError('invalid_client', { status: 401 })],
    ['an error that repeats the refresh token', { respond: { status: 400, body: { error: refreshToken } } }],
    ['a page', faults.badGateway],
    ['a redirect', { respond: { status: 302, headers: { Location: 'https://other.example.com' } } }],
    ['a reset', { reset: 'request' }],
    ['tokens that are none', { respond: { body: { accessToken: 'canary-access' } } }],
  ] as const)('shows in the error after %s', async (_, fault) => {
    const server = await startServer();
    server.always(fault);
    const refresh = refreshTokenGrant(
      clientOf(server, { clientSecret, clientAuthentication: 'client_secret_post' }),
    );
    const source = sourceOf({ refresh, tokens: { refresh_token: refreshToken, access_token: '' } });

    const error = await rejection(source.getAccessToken());

    expect(server.exchanges[0]!.parameters.get('refresh_token')).toBe(refreshToken);
    expect(server.exchanges[0]!.parameters.get('client_secret')).toBe(clientSecret);
    expect((error as Error).name).toBe('AccessTokenError');
    expect(shown(error)).not.toMatch('canary');
  });

  test.each([
    ['client_secret_post', clientSecret],
    ['client_secret_basic', clientSecret],
    ['client_secret_basic', `cli:${clientSecret.replace('-', '%2D')}`],
    ['client_secret_basic', btoa(`cli:${clientSecret.replace('-', '%2D')}`)],
  ] as const)('shows in the error where a server repeats what proved the client (%s: %s)', async (...of) => {
    const [clientAuthentication, repeated] = of;
    const server = await startServer();
    server.always(faults.oauthError('invalid_client', { status: 401, description: `bad ${repeated}!` }));
    const refresh = refreshTokenGrant(clientOf(server, { clientSecret, clientAuthentication }));

    const error = await rejection(sourceOf({ refresh, tokens: { refresh_token: 'r1' } }).getAccessToken());

    expect(error).toMatchObject({ code: 'ERR_MISCONFIGURED' });
    expect(shown(error)).toContain('[redacted]!');
    expect(shown(error)).not.toContain(repeated.replace('cli:', ''));
  });

  test('shows in the error when the fetch of the user throws what it sent', async () => {
    const refresh = refreshTokenGrant({
      tokenEndpoint: 'https://id.example.com/token',
      clientId: 'cli',
      clientSecret,
      fetch: (url, init) => Promise.reject(Object.assign(new Error(`${url} ${textOf(init)}`), { init })),
    });
    const source = sourceOf({ refresh, tokens: { refresh_token: refreshToken } });

    const error = await rejection(source.getAccessToken());

    expect(error).toMatchObject({ code: 'ERR_REFRESH_FAILED' });
    expect(shown(error)).not.toMatch('canary');
  });

  test('shows in a grant', () => {
    const refresh = refreshTokenGrant({
      tokenEndpoint: 'https://id.example.com/token',
      clientId: 'cli',
      clientSecret,
    });

    expect(inspect(refresh, { depth: Infinity, showHidden: true })).not.toMatch('canary');
    expect(JSON.stringify({ ...refresh })).not.toMatch('canary');
  });
});
