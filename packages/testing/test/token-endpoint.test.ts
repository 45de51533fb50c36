import { generateKeyPairSync, type JsonWebKey, type KeyObject } from 'node:crypto';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  createAuthorizationServer,
  createFakeClock,
  type AuthorizationServer,
  type AuthorizationServerOptions,
} from '@unexpired/testing';
import { SignJWT } from 'jose';
import { post, read, refresh, type TokenAnswer } from './token-requests.ts';

let server: AuthorizationServer;

async function start(options: AuthorizationServerOptions = {}): Promise<void> {
  server = await createAuthorizationServer(options);
}

afterEach(() => server.close());

const credentials = { grant_type: 'client_credentials' };
const basic = (text: string): RequestInit => ({
  headers: { authorization: `Basic ${Buffer.from(text).toString('base64')}` },
});

describe('requests that are not in order', () => {
  test.each([
    ['an unknown grant type', { grant_type: 'password' }, 'unsupported_grant_type'],
    ['no grant type', {}, 'unsupported_grant_type'],
    ['no refresh token', { grant_type: 'refresh_token' }, 'invalid_request'],
    ['client credentials without a client', credentials, 'invalid_request'],
    ['an unknown refresh token', { grant_type: 'refresh_token', refresh_token: 'x' }, 'invalid_grant'],
  ])('%s is refused', async (_, parameters, error) => {
    await start();

    expect(await read(post(server, parameters))).toMatchObject({ status: 400, body: { error } });
  });

  test('a body that is not a form is refused and leaves the refresh token unspent', async () => {
    await start();
    const { refresh_token } = await server.signIn();
    const body = `grant_type=refresh_token&refresh_token=${refresh_token}`;

    const answer = await read(post(server, {}, { body, headers: { 'content-type': 'text/plain' } }));

    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    expect(server.presentations[0]?.outcome).toBe('rejected');
    expect((await refresh(server, refresh_token)).status).toBe(200);
  });

  test('a parameter that comes twice is refused, but for resource', async () => {
    await start();
    const twice = (name: string): RequestInit => ({
      body: new URLSearchParams([
        ['grant_type', 'client_credentials'],
        ['client_id', 'cli'],
        [name, 'https://a'],
        [name, 'https://b'],
      ]),
    });

    expect((await post(server, {}, twice('scope'))).status).toBe(400);
    expect((await post(server, {}, twice('resource'))).status).toBe(200);
  });

  test('GET is not allowed', async () => {
    await start();

    expect((await fetch(server.tokenEndpoint)).status).toBe(405);
  });
});

describe('scope and client of a grant', () => {
  test('a narrower scope is granted and answered', async () => {
    await start();
    const { refresh_token } = await server.signIn({ scope: 'read write' });

    const { body } = await read(post(server, { grant_type: 'refresh_token', refresh_token, scope: 'read' }));

    expect(body['scope']).toBe('read');
  });

  test('a wider scope is refused, and the refresh token stays unspent', async () => {
    await start();
    const { refresh_token } = await server.signIn({ scope: 'read' });

    const answer = await read(
      post(server, { grant_type: 'refresh_token', refresh_token, scope: 'read admin' }),
    );

    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_scope' } });
    expect(server.presentations[0]?.outcome).toBe('scope-exceeded');
    expect((await refresh(server, refresh_token)).body['scope']).toBe('read');
  });

  test('a grant without a scope grants any', async () => {
    await start();
    const { refresh_token } = await server.signIn();

    const { body } = await read(post(server, { grant_type: 'refresh_token', refresh_token, scope: 'read' }));

    expect(body['scope']).toBe('read');
  });

  test('the refresh token of another client is refused', async () => {
    await start();
    const { refresh_token } = await server.signIn({ clientId: 'web' });

    expect((await refresh(server, refresh_token)).body['error']).toBe('invalid_grant');

    expect(server.presentations[0]?.outcome).toBe('other-client');
    expect(server.isGrantAlive(refresh_token)).toBe(true);
    expect(
      (await post(server, { grant_type: 'refresh_token', refresh_token, client_id: 'web' })).status,
    ).toBe(200);
  });
});

describe('client credentials', () => {
  test('bring an access token and no refresh token, each time another', async () => {
    await start();

    const answers = [
      await read(post(server, { ...credentials, client_id: 'cli', scope: 'read' })),
      await read(post(server, { ...credentials, client_id: 'cli' })),
    ];

    expect(answers[0]?.body).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 3600,
      scope: 'read',
    });
    for (const { body } of answers) expect(server.isAccessTokenValid(body.access_token)).toBe(true);
    expect(answers[0]?.body.access_token).not.toBe(answers[1]?.body.access_token);
    expect(server.presentations).toEqual([]);
    expect(server.exchanges).toHaveLength(2);
  });

  test('with accessTokensDieAtRefresh end the earlier access tokens of that client only', async () => {
    await start({ accessTokensDieAtRefresh: true });
    const ask = async (client_id: string): Promise<string> =>
      (await read(post(server, { ...credentials, client_id }))).body.access_token;
    const [first, other] = [await ask('cli'), await ask('other')];
    expect(server.isAccessTokenValid(first)).toBe(true);

    const second = await ask('cli');

    expect([first, other, second].map(server.isAccessTokenValid)).toEqual([false, true, true]);
  });
});

test('client credentials after the end of a grant begin another', async () => {
  await start();
  const ask = (): Promise<TokenAnswer> => read(post(server, { ...credentials, client_id: 'cli' }));
  server.revokeGrant((await ask()).body.access_token);

  expect(server.isAccessTokenValid((await ask()).body.access_token)).toBe(true);
});

describe('client authentication', () => {
  const clients = [{ clientId: 'public' }, { clientId: 'a b', clientSecret: 's:1%+&' }];

  test.each([
    ['none', { ...credentials, client_id: 'public' }, {}],
    ['basic', credentials, basic('a+b:s%3A1%25%2B&')],
    ['post', { ...credentials, client_id: 'a b', client_secret: 's:1%+&' }, {}],
  ])('%s is accepted and recorded', async (method, parameters, init) => {
    await start({ clients });

    expect((await post(server, parameters, init)).status).toBe(200);

    const clientId = method === 'none' ? 'public' : 'a b';
    expect(server.exchanges[0]).toMatchObject({
      clientAuthentication: method,
      clientId,
      assertionId: undefined,
    });
  });

  test.each([
    ['an unknown client', { ...credentials, client_id: 'who' }, {}],
    ['no client', credentials, {}],
    ['a confidential client without its secret', { ...credentials, client_id: 'a b' }, {}],
    ['a wrong secret in the body', { ...credentials, client_id: 'a b', client_secret: 'no' }, {}],
    ['a secret for a public client', { ...credentials, client_id: 'public', client_secret: 'no' }, {}],
    ['a wrong secret in the header', credentials, basic('a+b:no')],
  ])('%s is refused with 401', async (_, parameters, init) => {
    await start({ clients });

    expect(await read(post(server, parameters, init))).toMatchObject({
      status: 401,
      body: { error: 'invalid_client' },
    });
  });

  test('a refused header is challenged, other refusals are not', async () => {
    await start({ clients });
    expect((await post(server, credentials)).headers.get('www-authenticate')).toBeNull();

    const { headers } = await post(server, credentials, basic('a+b:no'));

    expect(headers.get('www-authenticate')).toBe('Basic realm="token endpoint"');
  });

  test('a refused client leaves the refresh token unspent', async () => {
    await start({ clients });
    const { refresh_token } = await server.signIn();

    await post(server, { grant_type: 'refresh_token', refresh_token, client_id: 'who' });

    expect(server.presentations[0]?.outcome).toBe('rejected');
    const parameters = { grant_type: 'refresh_token', refresh_token, client_id: 'public' };
    expect((await post(server, parameters)).status).toBe(200);
  });

  test('a refused client revokes nothing', async () => {
    await start({ clients });
    const { refresh_token } = await server.signIn();

    const body = new URLSearchParams({ token: refresh_token, client_id: 'who' });
    const { status } = await fetch(server.revocationEndpoint, { method: 'POST', body });

    expect(status).toBe(401);
    expect(server.isGrantAlive(refresh_token)).toBe(true);
    expect(server.revocations).toEqual([]);
  });
});

describe('private_key_jwt', () => {
  const pairs = {
    RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
    PS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
    ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    EdDSA: generateKeyPairSync('ed25519'),
  };
  type Algorithm = keyof typeof pairs;
  const jwkOf = (alg: Algorithm): JsonWebKey => pairs[alg].publicKey.export({ format: 'jwk' });

  function sign(
    claims: Record<string, unknown> = {},
    alg: Algorithm = 'ES256',
    key?: KeyObject,
  ): Promise<string> {
    const exp = Math.floor(Date.now() / 1000) + 60;
    return new SignJWT({ iss: 'app', sub: 'app', aud: server.issuer, jti: 'one', exp, ...claims })
      .setProtectedHeader({ alg })
      .sign(key ?? pairs[alg].privateKey);
  }

  function present(assertion: string): Promise<Response> {
    return post(server, {
      ...credentials,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    });
  }

  test.each(Object.keys(pairs) as Algorithm[])(
    'an assertion signed with %s is accepted and recorded',
    async (alg) => {
      await start({ clients: [{ clientId: 'app', publicKey: jwkOf(alg) }] });

      expect((await present(await sign({}, alg))).status).toBe(200);

      expect(server.exchanges[0]).toMatchObject({
        clientAuthentication: 'private_key_jwt',
        clientId: 'app',
        assertionId: 'one',
      });
    },
  );

  test('the token endpoint is an audience too, also in a list', async () => {
    await start({ clients: [{ clientId: 'app', publicKey: jwkOf('ES256') }] });

    expect((await present(await sign({ aud: ['https://x', server.tokenEndpoint] }))).status).toBe(200);
  });

  test.each([
    ['for another server', { aud: 'https://other.example' }],
    ['of another client', { iss: 'other' }],
    ['that has expired', { exp: 1 }],
    ['without a jti', { jti: undefined }],
  ])('an assertion %s is refused', async (_, claims) => {
    await start({ clients: [{ clientId: 'app', publicKey: jwkOf('ES256') }] });

    expect((await present(await sign(claims))).status).toBe(401);
  });

  test('an assertion about another client than the one that signed it is refused', async () => {
    await start({ clients: [{ clientId: 'app', publicKey: jwkOf('ES256') }] });
    const client_assertion = await sign({ sub: 'other' });

    expect((await post(server, { ...credentials, client_id: 'app', client_assertion })).status).toBe(401);
  });

  test('an assertion with an algorithm of shared secrets is refused', async () => {
    await start({ clients: [{ clientId: 'app', publicKey: jwkOf('ES256') }] });
    const exp = Math.floor(Date.now() / 1000) + 60;
    const assertion = new SignJWT({ iss: 'app', sub: 'app', aud: server.issuer, jti: 'one', exp })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new Uint8Array(32));

    expect((await present(await assertion)).status).toBe(401);
  });

  test('an assertion signed with another key is refused', async () => {
    await start({ clients: [{ clientId: 'app', publicKey: jwkOf('ES256') }] });
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

    expect((await present(await sign({}, 'ES256', privateKey))).status).toBe(401);
  });

  test('a client with a key is refused without an assertion', async () => {
    await start({ clients: [{ clientId: 'app', publicKey: jwkOf('ES256') }] });

    expect((await post(server, { ...credentials, client_id: 'app' })).status).toBe(401);
  });

  test('something that is no assertion is refused', async () => {
    await start({ clients: [{ clientId: 'app', publicKey: jwkOf('ES256') }] });

    expect((await present('not.a-jwt')).status).toBe(401);
  });

  test.each([
    ['registered clients', [{ clientId: 'app', publicKey: jwkOf('ES256') }]],
    ['any client', undefined],
  ])('with %s an assertion presented twice is refused, a fresh one is not', async (_, clients) => {
    await start({ clients });
    const assertion = await sign();

    const statuses = [];
    for (const one of [assertion, assertion, await sign({ jti: 'two' })])
      statuses.push((await present(one)).status);

    expect(statuses).toEqual([200, 401, 200]);
    expect(server.exchanges.map(({ assertionId }) => assertionId)).toEqual(['one', 'one', 'two']);
  });

  test('expiry is judged by the clock of the server', async () => {
    const clock = createFakeClock({ now: Date.now() });
    await start({ clock, clients: [{ clientId: 'app', publicKey: jwkOf('ES256') }] });
    clock.step(3_600_000);

    expect((await present(await sign())).status).toBe(401);
  });
});
