import { describe, expect, test } from '@jest/globals';
import { clientCredentialsGrant, refreshTokenGrant } from '@unexpired/oauth';
import { createResourceServer } from '@unexpired/testing';
import { call, closing, rejection, startServer } from './calls.ts';

const grants = [
  ['refreshTokenGrant', refreshTokenGrant],
  ['clientCredentialsGrant', clientCredentialsGrant],
] as const;

describe.each(grants)('%s', (_, grantOf) => {
  test('sends scope, resources and parameters beside its own', async () => {
    const server = await startServer();
    const { refresh_token: refreshToken } = await server.signIn({ scope: 'read write' });
    const grant = grantOf({
      tokenEndpoint: server.tokenEndpoint,
      clientId: 'cli',
      scope: 'read',
      resource: ['https://api.example.com/', 'urn:example:files'],
      parameters: { audience: 'https://a.example/?x=1&y', tenant: undefined },
    });

    expect((await call(grant, refreshToken)).status).toBe(200);

    const { parameters, headers, method } = server.exchanges[0]!;
    expect(method).toBe('POST');
    expect(headers.accept).toBe('application/json');
    expect(parameters.get('scope')).toBe('read');
    expect(parameters.getAll('resource')).toEqual(['https://api.example.com/', 'urn:example:files']);
    expect(parameters.get('audience')).toBe('https://a.example/?x=1&y');
    expect(parameters.has('tenant')).toBe(false);
  });

  test('takes one resource as a string', async () => {
    const server = await startServer();
    const { refresh_token: refreshToken } = await server.signIn();
    const { tokenEndpoint } = server;

    await call(grantOf({ tokenEndpoint, clientId: 'cli', resource: 'urn:example:files' }), refreshToken);

    expect(server.exchanges[0]!.parameters.getAll('resource')).toEqual(['urn:example:files']);
  });

  test('keeps what it was given, whatever happens to the options later', async () => {
    const server = await startServer();
    const { refresh_token: refreshToken } = await server.signIn();
    const options = {
      tokenEndpoint: server.tokenEndpoint,
      clientId: 'cli',
      resource: ['urn:example:files'],
      parameters: { audience: 'first' },
    };
    const grant = grantOf(options);
    options.resource.push('urn:example:other');
    options.parameters.audience = 'second';

    await call(grant, refreshToken);

    const { parameters } = server.exchanges[0]!;
    expect(parameters.getAll('resource')).toEqual(['urn:example:files']);
    expect(parameters.get('audience')).toBe('first');
  });

  test('resolves to the answer, unread, whatever its status', async () => {
    const server = await startServer();
    server.next({ respond: { status: 418, body: { error: 'invalid_grant' } } });

    const response = await call(grantOf({ tokenEndpoint: server.tokenEndpoint, clientId: 'cli' }), 'unknown');

    expect(response.status).toBe(418);
    expect(response.bodyUsed).toBe(false);
    expect(await response.json()).toEqual({ error: 'invalid_grant' });
  });

  test.each([301, 302, 303, 307, 308])(
    'hands on a redirect with %d and shows nothing elsewhere',
    async (status) => {
      const server = await startServer();
      const elsewhere = closing(await createResourceServer());
      const { refresh_token: refreshToken } = await server.signIn();
      server.next({ respond: { status, headers: { Location: `${elsewhere.origin}/token` } } });

      const response = await call(
        grantOf({ tokenEndpoint: server.tokenEndpoint, clientId: 'cli' }),
        refreshToken,
      );

      expect(response.status).toBe(status);
      expect(elsewhere.requests).toEqual([]);
    },
  );

  test('ends its request when the signal aborts', async () => {
    const server = await startServer();
    const controller = new AbortController();
    server.next({ hold: 'request' });
    const grant = grantOf({ tokenEndpoint: server.tokenEndpoint, clientId: 'cli' });

    const answer = rejection(call(grant, 'unknown', controller.signal));
    await server.requestArrived();
    const reason = new Error('enough');
    controller.abort(reason);

    expect(await answer).toBe(reason);
  });

  test('sends nothing when the signal has aborted', async () => {
    const server = await startServer();
    // A fetch that takes no notice of signals.
    const grant = grantOf({
      tokenEndpoint: server.tokenEndpoint,
      clientId: 'cli',
      fetch: (url, { signal: _, ...init }) => fetch(url, init),
    });

    const error = await rejection(call(grant, 'unknown', AbortSignal.abort()));

    expect(error).toMatchObject({
      code: 'ERR_REFRESH_FAILED',
      message: 'The request was given up before it was sent',
    });
    expect(server.exchanges).toEqual([]);
  });

  test('goes through the global fetch of the time when it was made', async () => {
    const server = await startServer();
    const original = globalThis.fetch;
    const grant = grantOf({ tokenEndpoint: server.tokenEndpoint, clientId: 'cli' });
    try {
      globalThis.fetch = () => Promise.reject(new Error('intercepted'));
      expect((await call(grant, 'unknown')).status).toBe(grantOf === refreshTokenGrant ? 400 : 200);
    } finally {
      globalThis.fetch = original;
    }
  });

  test('goes through the given fetch, discovery too', async () => {
    const server = await startServer();
    const seen: string[] = [];
    const grant = grantOf({
      issuer: server.issuer,
      clientId: 'cli',
      fetch: (url, init) => {
        seen.push(`${init.method} ${url} ${init.redirect}`);
        return fetch(url, init);
      },
    });

    await call(grant, 'unknown');

    expect(seen).toEqual([
      `GET ${server.issuer}/.well-known/openid-configuration manual`,
      `POST ${server.tokenEndpoint} manual`,
    ]);
  });

  test.each([
    [
      { tokenEndpoint: 'https://ID.example.com:443/a/../token?v=2' },
      { tokenEndpoint: 'https://id.example.com/token?v=2' },
    ],
    [
      { tokenEndpoint: new URL('https://id.example.com/token') },
      { tokenEndpoint: 'https://id.example.com/token' },
    ],
    [{ issuer: 'https://id.example.com' }, { issuer: 'https://id.example.com' }],
    [{ issuer: 'https://id.example.com/' }, { issuer: 'https://id.example.com' }],
    [{ issuer: 'https://id.example.com/realms/a' }, { issuer: 'https://id.example.com/realms/a' }],
  ])('binds its records to %j', (place, bound) => {
    const { binding } = grantOf({ ...place, clientId: 'cli', clientSecret: 'hidden' });

    expect(binding).toEqual({ ...bound, clientId: 'cli' });
    expect(Object.isFrozen(binding)).toBe(true);
  });

  test('takes undefined for every option that may be left out', async () => {
    const server = await startServer();
    const grant = grantOf({
      issuer: undefined,
      tokenEndpoint: server.tokenEndpoint,
      clientId: 'cli',
      clientSecret: undefined,
      clientAuthentication: undefined,
      scope: undefined,
      resource: undefined,
      parameters: undefined,
      fetch: undefined,
      allowHttp: undefined,
    });

    await call(grant, 'unknown');

    expect([...server.exchanges[0]!.parameters.keys()].sort()).toEqual(
      ['client_id', 'grant_type', 'refresh_token'].filter(
        (name) => name !== 'refresh_token' || grantOf === refreshTokenGrant,
      ),
    );
  });
});

describe('refreshTokenGrant', () => {
  test.each([undefined, ''])(
    'asks for a sign-in without a refresh token (%j), and sends nothing',
    async (none) => {
      const server = await startServer();

      const error = await rejection(
        call(refreshTokenGrant({ issuer: server.issuer, clientId: 'cli' }), none),
      );

      expect(error).toMatchObject({ code: 'ERR_REAUTHENTICATION_REQUIRED', permanent: true });
      expect(server.metadataRequests).toBe(0);
      expect(server.exchanges).toEqual([]);
    },
  );
});

describe('clientCredentialsGrant', () => {
  test('never shows a refresh token that somebody stored', async () => {
    const server = await startServer();

    await call(clientCredentialsGrant({ tokenEndpoint: server.tokenEndpoint, clientId: 'cli' }), 'stored');

    expect(Object.fromEntries(server.exchanges[0]!.parameters)).toEqual({
      grant_type: 'client_credentials',
      client_id: 'cli',
    });
  });
});
