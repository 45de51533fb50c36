import { describe, expect, test } from '@jest/globals';
import { clientCredentialsGrant, refreshTokenGrant, type PrivateKeyAuthentication } from '@unexpired/oauth';
import type { RegisteredClient } from '@unexpired/testing';
import { call, rejection, startServer } from './calls.ts';

const ES256 = { name: 'ECDSA', namedCurve: 'P-256' };
const RS256 = {
  name: 'RSASSA-PKCS1-v1_5',
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
  hash: 'SHA-256',
};

type KeyAlgorithm = typeof ES256 | typeof RS256 | { name: 'Ed25519' };

async function keyPair(algorithm: KeyAlgorithm): Promise<[PrivateKeyAuthentication, RegisteredClient]> {
  const pair = (await crypto.subtle.generateKey(algorithm, false, ['sign', 'verify'])) as CryptoKeyPair;
  const publicKey = { ...(await crypto.subtle.exportKey('jwk', pair.publicKey)) };
  return [
    { method: 'private_key_jwt', key: pair.privateKey },
    { clientId: 'svc', publicKey },
  ];
}

function claimsOf(assertion: string | null, part = 1): Record<string, unknown> {
  return JSON.parse(Buffer.from(assertion!.split('.')[part]!, 'base64url').toString()) as Record<
    string,
    unknown
  >;
}

describe('none', () => {
  test('sends the client id in the body and no Authorization', async () => {
    const server = await startServer();
    const { refresh_token: refreshToken } = await server.signIn();

    await call(refreshTokenGrant({ tokenEndpoint: server.tokenEndpoint, clientId: 'a&b=c' }), refreshToken);

    const [exchange] = server.exchanges;
    expect(exchange!.headers.authorization).toBeUndefined();
    expect(Object.fromEntries(exchange!.parameters)).toEqual({
      grant_type: 'refresh_token',
      refresh_token: refreshToken,
      client_id: 'a&b=c',
    });
  });
});

describe('client_secret_basic', () => {
  test('is the default with a secret, and encodes id and secret as forms are (RFC 6749, section 2.3.1)', async () => {
    const client = { clientId: 'svc:1 é', clientSecret: 'p%a+s s/w:ö&=-_.!~*' };
    const server = await startServer({ clients: [client] });

    const response = await call(clientCredentialsGrant({ tokenEndpoint: server.tokenEndpoint, ...client }));

    expect(response.status).toBe(200);
    const [exchange] = server.exchanges;
    const [, basic] = exchange!.headers.authorization!.split(' ');
    expect(Buffer.from(basic!, 'base64').toString()).toBe(
      'svc%3A1+%C3%A9:p%25a%2Bs+s%2Fw%3A%C3%B6%26%3D%2D%5F%2E%21%7E%2A',
    );
    expect(Object.fromEntries(exchange!.parameters)).toEqual({ grant_type: 'client_credentials' });
  });
});

describe('client_secret_post', () => {
  test('sends id and secret in the body and no Authorization', async () => {
    const client = { clientId: 'svc', clientSecret: 'p%a+s s' };
    const server = await startServer({ clients: [client] });
    const grant = clientCredentialsGrant({
      tokenEndpoint: server.tokenEndpoint,
      clientAuthentication: 'client_secret_post',
      ...client,
    });

    expect((await call(grant)).status).toBe(200);

    const [exchange] = server.exchanges;
    expect(exchange!.headers.authorization).toBeUndefined();
    expect(Object.fromEntries(exchange!.parameters)).toEqual({
      grant_type: 'client_credentials',
      client_id: 'svc',
      client_secret: 'p%a+s s',
    });
  });
});

describe('private_key_jwt', () => {
  test.each([
    ['ES256', ES256],
    ['RS256', RS256],
    ['Ed25519', { name: 'Ed25519' }],
  ] as const)('signs a new assertion for each attempt with %s', async (alg, algorithm) => {
    const [clientAuthentication, registered] = await keyPair(algorithm);
    const server = await startServer({ clients: [registered] });
    const { tokenEndpoint } = server;
    const grant = clientCredentialsGrant({ tokenEndpoint, clientId: 'svc', clientAuthentication });

    expect((await call(grant)).status).toBe(200);
    expect((await call(grant)).status).toBe(200);

    const [first, second] = server.exchanges;
    expect(first!.clientAuthentication).toBe('private_key_jwt');
    expect(first!.assertionId).not.toBe(second!.assertionId);
    const assertion = first!.parameters.get('client_assertion');
    expect(claimsOf(assertion, 0)).toEqual({ alg });
    expect(claimsOf(assertion)).toMatchObject({ iss: 'svc', sub: 'svc', aud: tokenEndpoint });
  });

  test('names the key, and the audience that was asked for', async () => {
    const [clientAuthentication, registered] = await keyPair(ES256);
    const server = await startServer({ clients: [registered] });
    const grant = clientCredentialsGrant({
      tokenEndpoint: server.tokenEndpoint,
      clientId: 'svc',
      clientAuthentication: { ...clientAuthentication, kid: 'key-7', audience: server.issuer },
    });

    expect((await call(grant)).status).toBe(200);

    const assertion = server.exchanges[0]!.parameters.get('client_assertion');
    expect(claimsOf(assertion, 0)).toMatchObject({ kid: 'key-7' });
    expect(claimsOf(assertion)).toMatchObject({ aud: server.issuer });
  });

  test('names the issuer as the audience where that was discovered', async () => {
    const [clientAuthentication, registered] = await keyPair(ES256);
    const server = await startServer({ clients: [registered] });
    const grant = clientCredentialsGrant({ issuer: server.issuer, clientId: 'svc', clientAuthentication });

    expect((await call(grant)).status).toBe(200);

    const assertion = server.exchanges[0]!.parameters.get('client_assertion');
    expect(claimsOf(assertion)).toMatchObject({ aud: server.issuer });
  });

  test('rejects as misconfigured, with nothing sent, where the key cannot sign an assertion', async () => {
    const server = await startServer();
    const pair = (await crypto.subtle.generateKey({ ...RS256, hash: 'SHA-1' }, false, [
      'sign',
    ])) as CryptoKeyPair;
    const grant = clientCredentialsGrant({
      tokenEndpoint: server.tokenEndpoint,
      clientId: 'svc',
      clientAuthentication: { method: 'private_key_jwt', key: pair.privateKey },
    });

    const error = await rejection(call(grant));

    expect(error).toMatchObject({
      code: 'ERR_MISCONFIGURED',
      message: 'The client could not be authenticated (unsupported RsaHashedKeyAlgorithm hash name)',
    });
    expect(error).not.toHaveProperty('cause');
    expect(server.exchanges).toEqual([]);
  });
});
