import { inspect } from 'node:util';
import { describe, expect, jest, test } from '@jest/globals';
import { createTokenSource } from '@unexpired/core';
import { refreshTokenGrant, revokeToken } from '@unexpired/oauth';
import { createResourceServer, type Answer, type ResourceServer } from '@unexpired/testing';
import { closing, rejection, startServer, textOf } from './calls.ts';

const REFRESH_TOKEN = 'canary-refresh';
const ACCESS_TOKEN = 'canary-access';
const SECRET = 'canary-secret';

/** A revocation endpoint that answers as told. */
async function startEndpoint(answer: Answer = {}): Promise<ResourceServer> {
  return closing(await createResourceServer({ accepts: () => true, respond: answer }));
}

const formOf = ({ requests }: ResourceServer): Record<string, string> =>
  Object.fromEntries(new URLSearchParams(requests.at(-1)!.body.toString()));

describe('revokeToken', () => {
  test('ends the grant by its refresh token, at the endpoint that the issuer names', async () => {
    const server = await startServer();
    const tokens = await server.signIn();
    const revoke = revokeToken({ issuer: server.issuer, clientId: 'cli' });

    await revoke(tokens);
    await revoke(await server.signIn());

    expect(server.revocations[0]).toBe(tokens.refresh_token);
    expect(server.isGrantAlive(tokens.access_token)).toBe(false);
    expect(server.metadataRequests).toBe(1);
  });

  test('ends the access token where there is no refresh token', async () => {
    const server = await startServer();
    const { access_token: accessToken } = await server.signIn();
    const { revocationEndpoint } = server;

    await revokeToken({ revocationEndpoint, clientId: 'cli' })({
      access_token: accessToken,
      refresh_token: '',
    });

    expect(server.revocations).toEqual([accessToken]);
    expect(server.metadataRequests).toBe(0);
  });

  test('sends nothing where there is no token', async () => {
    const endpoint = await startEndpoint();

    await revokeToken({ revocationEndpoint: endpoint.origin, clientId: 'cli' })({});

    expect(endpoint.requests).toEqual([]);
  });

  test('tells the kind of the token, and sends the parameters and the proof of the client', async () => {
    const endpoint = await startEndpoint({ status: 200 });
    const revoke = revokeToken({
      revocationEndpoint: endpoint.origin,
      clientId: 'cli',
      clientSecret: SECRET,
      clientAuthentication: 'client_secret_post',
      parameters: { tenant: 'a' },
    });

    await revoke({ refresh_token: REFRESH_TOKEN, access_token: ACCESS_TOKEN });

    expect(formOf(endpoint)).toEqual({
      tenant: 'a',
      token: REFRESH_TOKEN,
      token_type_hint: 'refresh_token',
      client_id: 'cli',
      client_secret: SECRET,
    });
    await revoke({ access_token: ACCESS_TOKEN });
    expect(formOf(endpoint)).toMatchObject({ token: ACCESS_TOKEN, token_type_hint: 'access_token' });
  });

  test('authenticates with basic where there is a secret, and names a refused client', async () => {
    const server = await startServer({ clients: [{ clientId: 'cli', clientSecret: SECRET }] });
    const tokens = await server.signIn();
    const options = { issuer: server.issuer, clientId: 'cli' };

    await expect(revokeToken({ ...options, clientSecret: 'wrong' })(tokens)).rejects.toMatchObject({
      code: 'ERR_MISCONFIGURED',
      message:
        'The revocation endpoint answered 401 with invalid_client, so the tokens stay valid; check the client and the revocation endpoint.',
    });
    expect(server.isGrantAlive(tokens.access_token)).toBe(true);

    await revokeToken({ ...options, clientSecret: SECRET })(tokens);
    expect(server.isGrantAlive(tokens.access_token)).toBe(false);
  });

  test.each([
    [503, 'ERR_REFRESH_FAILED'],
    [500, 'ERR_REFRESH_FAILED'],
    [429, 'ERR_REFRESH_FAILED'],
    [408, 'ERR_REFRESH_FAILED'],
    [400, 'ERR_MISCONFIGURED'],
    [404, 'ERR_MISCONFIGURED'],
    [204, 'ERR_MISCONFIGURED'],
  ])('rejects an answer of %d with %s and without what the server says', async (status, code) => {
    const endpoint = await startEndpoint({
      status,
      body: { error: REFRESH_TOKEN, error_description: SECRET },
    });
    const revoke = revokeToken({
      revocationEndpoint: endpoint.origin,
      clientId: 'cli',
      clientSecret: SECRET,
    });

    const error = await rejection(revoke({ refresh_token: REFRESH_TOKEN, access_token: ACCESS_TOKEN }));

    expect(error).toMatchObject({ name: 'AccessTokenError', code });
    expect((error as Error).message).toMatch(
      `The revocation endpoint answered ${status}, so the tokens stay valid;`,
    );
    expect(inspect(error, { depth: Infinity, showHidden: true })).not.toMatch('canary');
  });

  test('does not follow a redirect with the token', async () => {
    const elsewhere = await startEndpoint();
    const endpoint = await startEndpoint({ status: 307, headers: { Location: elsewhere.origin } });

    const error = await rejection(
      revokeToken({ revocationEndpoint: endpoint.origin, clientId: 'cli' })({ refresh_token: REFRESH_TOKEN }),
    );

    expect(error).toMatchObject({ code: 'ERR_MISCONFIGURED' });
    expect(elsewhere.requests).toEqual([]);
  });

  test('rejects when nobody answers, without what the fetch threw', async () => {
    const revoke = revokeToken({
      revocationEndpoint: 'https://id.example.com/revoke',
      clientId: 'cli',
      fetch: (url, init) => Promise.reject(Object.assign(new Error(`${url} ${textOf(init)}`), { init })),
    });

    const error = await rejection(revoke({ refresh_token: REFRESH_TOKEN }));

    expect(error).toMatchObject({
      code: 'ERR_REFRESH_FAILED',
      message:
        'The revocation endpoint did not answer (Error), so the tokens may stay valid; try again later.',
    });
    expect(inspect(error, { depth: Infinity, showHidden: true })).not.toMatch('canary');
  });

  test('gives up after 10 seconds', async () => {
    const endpoint = await startEndpoint();
    endpoint.next({ hold: 'request' });
    const limit = new AbortController();
    const timeout = jest.spyOn(AbortSignal, 'timeout').mockReturnValueOnce(limit.signal);

    const revoke = revokeToken({ revocationEndpoint: endpoint.origin, clientId: 'cli' });
    const answer = rejection(revoke({ refresh_token: REFRESH_TOKEN }));
    await endpoint.requestArrived();
    limit.abort(new DOMException('too long', 'TimeoutError'));

    expect(await answer).toMatchObject({ code: 'ERR_REFRESH_FAILED' });
    expect(timeout).toHaveBeenCalledWith(10_000);
    timeout.mockRestore();
  });

  test('rejects metadata without a revocation endpoint', async () => {
    const server = await startEndpoint();
    server.always({ respond: { body: { issuer: server.origin, token_endpoint: `${server.origin}/token` } } });

    await expect(
      revokeToken({ issuer: server.origin, clientId: 'cli' })({ refresh_token: REFRESH_TOKEN }),
    ).rejects.toMatchObject({
      code: 'ERR_MISCONFIGURED',
      message: `The metadata of the authorization server ${server.origin}/ name no revocation_endpoint`,
    });
    expect(server.requests).toHaveLength(1);
  });

  test('is what a sign-out of a token source calls', async () => {
    const server = await startServer();
    const tokens = await server.signIn();
    const client = { issuer: server.issuer, clientId: 'cli' };
    const source = createTokenSource({
      origins: ['https://api.example.com'],
      refresh: refreshTokenGrant(client),
      revoke: revokeToken(client),
      tokens,
    });
    await source.getAccessToken();

    await source.signOut();

    expect(server.revocations).toEqual([tokens.refresh_token]);
    expect(server.isGrantAlive(tokens.refresh_token)).toBe(false);
    await source.close();
  });
});
