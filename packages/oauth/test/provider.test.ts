import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createMemoryStore, createTokenSource, type TokenSource } from '@unexpired/core';
import {
  clientCredentialsGrant,
  refreshTokenGrant,
  revokeToken,
  type ClientOptions,
  type GrantOptions,
} from '@unexpired/oauth';
import { createFakeClock } from '@unexpired/testing';
import { RESOURCE, startProvider, type RunningProvider } from './provider.ts';

const ES256 = { name: 'ECDSA', namedCurve: 'P-256' };
const SECRET = 'p%a+s s/w:d&=-_.!~*';

let provider: RunningProvider;
let key: CryptoKey;
const methods: Record<string, () => Pick<ClientOptions, 'clientSecret' | 'clientAuthentication'>> = {
  none: () => ({}),
  client_secret_basic: () => ({ clientSecret: SECRET }),
  client_secret_post: () => ({ clientSecret: SECRET, clientAuthentication: 'client_secret_post' }),
  private_key_jwt: () => ({ clientAuthentication: { method: 'private_key_jwt', key, kid: 'k1' } }),
};

async function registeredClients(): Promise<object[]> {
  const pair = (await crypto.subtle.generateKey(ES256, false, ['sign', 'verify'])) as CryptoKeyPair;
  key = pair.privateKey;
  const jwk = {
    ...(await crypto.subtle.exportKey('jwk', pair.publicKey)),
    kid: 'k1',
    alg: 'ES256',
    use: 'sig',
  };
  return Object.keys(methods).map((method) => ({
    client_id: `client:${method}`,
    token_endpoint_auth_method: method,
    grant_types: method === 'none' ? ['refresh_token'] : ['refresh_token', 'client_credentials'],
    ...(/secret/.test(method) && { client_secret: SECRET }),
    ...(method === 'private_key_jwt' && { jwks: { keys: [jwk] } }),
  }));
}

beforeAll(async () => {
  // It warns that it keeps its grants in memory, which is what a test wants.
  const warn = jest.spyOn(console, 'warn').mockReturnValue();
  provider = await startProvider(await registeredClients());
  warn.mockRestore();
});

afterAll(async () => {
  await provider.close();
  expect(provider.errors).toEqual([]);
});

function grantOptions(method: string, place?: Partial<GrantOptions>): GrantOptions {
  return { ...(place ?? { issuer: provider.issuer }), clientId: `client:${method}`, ...methods[method]!() };
}

function sourceOf(options: GrantOptions, refreshToken: string, more?: object): TokenSource {
  const refresh = refreshTokenGrant(options);
  const tokens = { refresh_token: refreshToken };
  return createTokenSource({ origins: ['https://api.example.com'], refresh, tokens, ...more });
}

describe.each(Object.keys(methods))('an oidc-provider and %s', (method) => {
  test('rotate over several generations, and end the grant when a spent token is shown', async () => {
    const first = await provider.signIn(`client:${method}`);
    const [store, clock] = [createMemoryStore(), createFakeClock()];
    const source = sourceOf(grantOptions(method), first, { store, clock });
    const accessTokens = new Set<string>();
    const refreshTokens = new Set([first]);

    for (let generation = 1; generation <= 3; generation += 1) {
      accessTokens.add(await source.getAccessToken());
      const record = await store.read('default');
      refreshTokens.add(record!.tokens!.refresh_token!);
      clock.step(3_600_000);
    }

    expect(accessTokens.size).toBe(3);
    expect(refreshTokens.size).toBe(4);
    const thief = sourceOf(grantOptions(method), first);
    await expect(thief.getAccessToken()).rejects.toMatchObject({ code: 'ERR_REAUTHENTICATION_REQUIRED' });
    await expect(source.getAccessToken()).rejects.toMatchObject({
      code: 'ERR_REAUTHENTICATION_REQUIRED',
      cause: { status: 400, error: 'invalid_grant' },
    });
    await Promise.all([source.close(), thief.close()]);
  });

  test('agree at a token endpoint that was given', async () => {
    const place = { tokenEndpoint: `${provider.issuer}/token` };
    const source = sourceOf(grantOptions(method, place), await provider.signIn(`client:${method}`));

    const [, payload] = (await source.getAccessToken()).split('.');

    const claims: unknown = JSON.parse(Buffer.from(payload!, 'base64url').toString());
    expect(claims).toMatchObject({ iss: provider.issuer, aud: RESOURCE, scope: 'read write' });
    await source.close();
  });

  test('end a grant by its refresh token', async () => {
    const refreshToken = await provider.signIn(`client:${method}`);
    const options = grantOptions(method);

    await revokeToken(options)({ refresh_token: refreshToken });

    const source = sourceOf(options, refreshToken);
    await expect(source.getAccessToken()).rejects.toMatchObject({ code: 'ERR_REAUTHENTICATION_REQUIRED' });
    await source.close();
  });
});

describe.each(Object.keys(methods).slice(1))('an oidc-provider and client credentials with %s', (method) => {
  test('obtain an access token for a scope and a resource', async () => {
    const refresh = clientCredentialsGrant({ ...grantOptions(method), scope: 'read', resource: RESOURCE });
    const source = createTokenSource({ origins: ['https://api.example.com'], refresh });

    const [, payload] = (await source.getAccessToken()).split('.');

    const claims: unknown = JSON.parse(Buffer.from(payload!, 'base64url').toString());
    expect(claims).toMatchObject({ aud: RESOURCE, scope: 'read', client_id: `client:${method}` });
    await source.close();
  });
});

test('a wrong secret is a misconfiguration', async () => {
  const options = { ...grantOptions('client_secret_basic'), clientSecret: 'canary' };
  const source = sourceOf(options, await provider.signIn('client:client_secret_basic'));

  await expect(source.getAccessToken()).rejects.toMatchObject({
    code: 'ERR_MISCONFIGURED',
    cause: { error: 'invalid_client' },
  });
  await source.close();
});

test('a scope beyond the one that was granted is a misconfiguration', async () => {
  const options = { ...grantOptions('none'), scope: 'read delete' };
  const source = sourceOf(options, await provider.signIn('client:none'));

  await expect(source.getAccessToken()).rejects.toMatchObject({
    code: 'ERR_MISCONFIGURED',
    cause: { error: 'invalid_scope' },
  });
  await source.close();
});
