import { describe, expect, jest, test } from '@jest/globals';
import { createMemoryStore, createTokenSource } from '@unexpired/core';
import { clientCredentialsGrant, refreshTokenGrant, type GrantOptions } from '@unexpired/oauth';
import { createResourceServer, type Answer, type ResourceServer } from '@unexpired/testing';
import { call, closing, rejection, startServer } from './calls.ts';

const OIDC = '/.well-known/openid-configuration';
const OAUTH = '/.well-known/oauth-authorization-server';

/** A server that answers by path, and 404 elsewhere. */
async function startMetadata(answers: (origin: string) => Record<string, Answer>): Promise<ResourceServer> {
  const server = await createResourceServer({
    accepts: () => true,
    respond: ({ url }) => answers(server.origin)[url] ?? { status: 404 },
  });
  return closing(server);
}

const paths = ({ requests }: ResourceServer): string[] => requests.map(({ url }) => url);

/** A grant whose authorization server is a table of JSON bodies by URL; everything else is 404. */
function grantAt(issuer: string, bodies: Record<string, unknown>, options: Partial<GrantOptions> = {}) {
  const sent: string[] = [];
  const answer = async (url: string): Promise<Response> => {
    sent.push(url);
    return url in bodies ? Response.json(bodies[url]) : new Response(null, { status: 404 });
  };
  return { sent, grant: clientCredentialsGrant({ issuer, clientId: 'svc', fetch: answer, ...options }) };
}

describe('finding the token endpoint', () => {
  test('asks once for all calls, at once and later', async () => {
    const server = await startServer();
    const grant = clientCredentialsGrant({ issuer: server.issuer, clientId: 'svc' });

    await Promise.all([call(grant), call(grant), call(grant)]);
    await call(grant);

    expect(server.exchanges).toHaveLength(4);
    expect(server.metadataRequests).toBe(1);
  });

  test('asks nothing where the endpoint is given', async () => {
    const server = await startServer();

    await call(clientCredentialsGrant({ tokenEndpoint: server.tokenEndpoint, clientId: 'svc' }));

    expect(server.metadataRequests).toBe(0);
  });

  test('falls back to the metadata of RFC 8414, with the path of the issuer behind it', async () => {
    const server = await startMetadata((origin) => ({
      [`${OAUTH}/tenant`]: { body: { issuer: `${origin}/tenant`, token_endpoint: `${origin}/tenant/token` } },
      '/tenant/token': { body: { access_token: 'a' } },
    }));

    await call(clientCredentialsGrant({ issuer: `${server.origin}/tenant`, clientId: 'svc' }));

    expect(paths(server)).toEqual([`/tenant${OIDC}`, `${OAUTH}/tenant`, '/tenant/token']);
  });

  test('takes an http endpoint outside of loopback from an http issuer with allowHttp only', async () => {
    const bodies = {
      [`http://127.0.0.1:9${OIDC}`]: { issuer: 'http://127.0.0.1:9', token_endpoint: 'http://id.test/token' },
      'http://id.test/token': { access_token: 'a' },
    };

    const denied = grantAt('http://127.0.0.1:9', bodies);
    expect(await rejection(call(denied.grant))).toMatchObject({ code: 'ERR_MISCONFIGURED' });
    expect(denied.sent).toHaveLength(1);

    const allowed = grantAt('http://127.0.0.1:9', bodies, { allowHttp: true });
    expect((await call(allowed.grant)).status).toBe(200);
  });
});

describe('a discovery that fails for now', () => {
  test.each<[string, Answer, string]>([
    ['unavailable', { status: 503 }, 'status 503'],
    ['too many requests', { status: 429 }, 'status 429'],
    ['forbidden by a firewall', { status: 403, body: '<html>' }, 'status 403'],
    ['a page', { headers: { 'Content-Type': 'text/html' }, body: '<html>' }, 'the answer is not JSON'],
    ['broken JSON', { headers: { 'Content-Type': 'application/json' }, body: '{' }, 'the answer is not JSON'],
  ])('is transient and not remembered: %s', async (_, answer, why) => {
    const server = await startMetadata((origin) => ({
      [OIDC]: { body: { issuer: origin, token_endpoint: `${origin}/token` } },
      '/token': { body: { access_token: 'a' } },
    }));
    const respond = { respond: answer };
    server.next(...(answer.status === 429 || answer.status === 403 ? [respond, respond] : [respond]));
    const grant = clientCredentialsGrant({ issuer: server.origin, clientId: 'svc' });

    const error = await rejection(call(grant));

    expect(error).toMatchObject({
      name: 'AccessTokenError',
      code: 'ERR_REFRESH_FAILED',
      message: `The metadata of the authorization server ${server.origin}/ could not be had (${why}); no token was sent`,
    });
    expect(paths(server)).not.toContain('/token');
    expect((await call(grant)).status).toBe(200);
  });

  test('tells why the network failed', async () => {
    const server = await createResourceServer();
    await server.close();

    const error = await rejection(call(clientCredentialsGrant({ issuer: server.origin, clientId: 'svc' })));

    expect(error).toMatchObject({
      code: 'ERR_REFRESH_FAILED',
      message: expect.stringContaining('(ECONNREFUSED)'),
    });
  });

  test('ends after a time of its own, whatever the signal of the exchange', async () => {
    const server = await startMetadata(() => ({}));
    server.next({ hold: 'request' });
    const limit = new AbortController();
    const timeout = jest.spyOn(AbortSignal, 'timeout').mockReturnValueOnce(limit.signal);

    const answer = rejection(call(clientCredentialsGrant({ issuer: server.origin, clientId: 'svc' })));
    await server.requestArrived();
    limit.abort(new DOMException('too long', 'TimeoutError'));

    expect(await answer).toMatchObject({
      code: 'ERR_REFRESH_FAILED',
      message: expect.stringContaining('(TimeoutError)'),
    });
    expect(timeout).toHaveBeenCalledWith(5000);
    timeout.mockRestore();
  });

  test('leaves no doubt about the refresh token', async () => {
    const server = await createResourceServer();
    await server.close();
    const store = createMemoryStore();
    const source = createTokenSource({
      origins: ['https://api.example.com'],
      refresh: refreshTokenGrant({ issuer: server.origin, clientId: 'cli' }),
      tokens: { refresh_token: 'kept' },
      store,
      random: () => 0,
    });

    await expect(source.getAccessToken()).rejects.toMatchObject({
      code: 'ERR_REFRESH_FAILED',
      message: `The refresh of account 'default' failed: The metadata of the authorization server ${server.origin}/ could not be had (ECONNREFUSED); no token was sent. It is tried again after a back-off.`,
    });

    expect(await store.read('default')).toMatchObject({ tokens: { refresh_token: 'kept' } });
    expect((await store.read('default'))!.claim).toBeUndefined();
    await source.close();
  });
});

describe('metadata that cannot be right', () => {
  const issuer = 'https://id.example.com';
  const at = issuer + OIDC;

  test.each<[string, unknown, string]>([
    [
      'another issuer',
      { issuer: 'https://other.example.com', token_endpoint: `${issuer}/token` },
      'name the issuer https://other.example.com/; set `issuer` to what they name, or set the endpoint itself',
    ],
    ['no issuer', { token_endpoint: `${issuer}/token` }, 'name no valid issuer;'],
    [
      'an issuer that is no URL',
      { issuer: 'me', token_endpoint: `${issuer}/token` },
      'name no valid issuer;',
    ],
    ['a list', [], 'name no valid issuer;'],
    ['no token endpoint', { issuer }, 'name no token_endpoint'],
    ['a token endpoint that is no URL', { issuer, token_endpoint: '/token' }, 'name no token_endpoint'],
    [
      'a token endpoint without https',
      { issuer, token_endpoint: 'http://id.example.com/token' },
      'name a token_endpoint that is not https',
    ],
    [
      'a token endpoint on loopback without https',
      { issuer, token_endpoint: 'http://127.0.0.1/token' },
      'name a token_endpoint that is not https',
    ],
  ])('is a misconfiguration: %s', async (_, metadata, what) => {
    const { grant, sent } = grantAt(issuer, { [at]: metadata }, { allowHttp: true });

    const error = await rejection(call(grant));

    expect(error).toMatchObject({ name: 'AccessTokenError', code: 'ERR_MISCONFIGURED' });
    expect((error as Error).message).toContain(
      `The metadata of the authorization server https://id.example.com/ ${what}`,
    );
    expect(sent).toEqual([at]);
  });

  test('is a misconfiguration: there are none', async () => {
    const { grant, sent } = grantAt(issuer, {});

    expect(await rejection(call(grant))).toMatchObject({
      code: 'ERR_MISCONFIGURED',
      message:
        'The metadata of the authorization server https://id.example.com/ are not published; set the endpoint itself',
    });
    expect(sent).toEqual([at, issuer + OAUTH]);
  });

  test('is a misconfiguration: a redirect, which is not followed', async () => {
    const elsewhere = closing(await createResourceServer());
    const server = await startMetadata(() => ({
      [OIDC]: { status: 302, headers: { Location: `${elsewhere.origin}${OIDC}` } },
    }));

    const error = await rejection(call(clientCredentialsGrant({ issuer: server.origin, clientId: 'svc' })));

    expect(error).toMatchObject({
      code: 'ERR_MISCONFIGURED',
      message: expect.stringContaining('lie behind a redirect, which is not followed'),
    });
    expect(elsewhere.requests).toEqual([]);
  });
});
