import type { LookupAddress } from 'node:dns';
import { describe, expect, test } from '@jest/globals';
import { axiosAuth } from '@unexpired/axios';
import axios, { type AxiosRequestConfig } from 'axios';
import { afterwards, bearerTokens, reasonsOf, serveResource, statuses } from '../../../test/world.ts';
import { errorOf, openScene, type Scene } from './scene.ts';

/** Every name leads here, so that a test may use hosts and subdomains. */
const lookup: AxiosRequestConfig['lookup'] = (_host, _options, callback) =>
  callback(null, { address: '127.0.0.1', family: 4 } satisfies LookupAddress as never);

async function elsewhere(): Promise<Awaited<ReturnType<typeof serveResource>>> {
  return serveResource({ accepts: () => true });
}

describe('the access token stays away from', () => {
  test('absolute URLs to another origin', async () => {
    const { client, events } = await openScene();
    const other = await elsewhere();

    await client.get(`${other.origin}/page`, { params: { page: 2 } });

    expect(other.requests[0]).toMatchObject({ url: '/page?page=2', authorization: [] });
    expect(reasonsOf(events, 'request-not-authorized')).toEqual(['origin']);
  });

  test('a base URL that a later interceptor replaces', async () => {
    const { client } = await openScene({
      client: { transitional: { legacyInterceptorReqResOrdering: false } },
    });
    const other = await elsewhere();
    client.interceptors.request.use((config) => ({ ...config, baseURL: other.origin }));

    await client.get('/items');

    expect(other.requests[0]?.authorization).toEqual([]);
  });

  test('URLs that only begin like the origin', async () => {
    const { client, api } = await openScene({ client: { lookup } });
    const { port } = new URL(api.origin);

    const urls = [`${api.origin}.example.com/`, `${api.origin}@127.0.0.1:${port}/`];
    for (const url of urls) await client.get(url).catch(() => undefined);

    expect(bearerTokens(api).filter(Boolean)).toEqual([]);
  });

  test('a protocol-relative URL, which Node can send nowhere', async () => {
    const { client, events } = await openScene();
    const other = await elsewhere();

    const error = await errorOf(client.get(other.origin.replace('http:', '')));

    expect(error.message).toBe('Invalid URL');
    expect(reasonsOf(events, 'request-not-authorized')).toEqual(['origin']);
  });

  test('whoever listens on a local socket', async () => {
    const { client, events } = await openScene();

    await errorOf(client.get('/items', { socketPath: '/nowhere/there.sock' }));

    expect(reasonsOf(events, 'request-not-authorized')).toEqual(['origin']);
  });

  test('a caller that asked for no authorization', async () => {
    const { client, api, events } = await openScene({ client: { validateStatus: null } });

    await client.get('/items', { unexpired: { skip: true } });

    expect(api.requests[0]?.authorization).toEqual([]);
    expect(statuses(api)).toEqual([401]);
    expect(reasonsOf(events, 'request-not-authorized')).toEqual(['skip']);
  });
});

test('an absolute URL is part of the path where the caller does not allow it, and the token goes with it', async () => {
  const { client, api, first } = await openScene();
  const other = await elsewhere();

  await client.get(`${other.origin}/page`, { allowAbsoluteUrls: false, params: { page: 2 } });

  expect(other.requests).toEqual([]);
  expect(api.requests[0]).toMatchObject({
    url: `/${other.origin}/page?page=2`,
    bearerToken: first.access_token,
  });
});

test('an older axios, which always allows absolute URLs, is given the URL that was judged', async () => {
  const { client, api, first } = await openScene();
  const other = await elsewhere();
  const http = axios.getAdapter('http');

  await client.get(`${other.origin}/page`, {
    allowAbsoluteUrls: false,
    adapter: (config) => http({ ...config, allowAbsoluteUrls: true }),
  });

  expect(other.requests).toEqual([]);
  expect(bearerTokens(api)).toEqual([first.access_token]);
});

test.each([
  ['no URL', undefined],
  ['a path', 'items'],
  ['a path with a slash', '/items'],
  ['an absolute URL', 'ORIGIN/items'],
])('%s on the base URL is sent to the listed origin with the access token', async (_, url) => {
  const { client, api, first } = await openScene();

  await client.get(url?.replace('ORIGIN', api.origin) as string, { params: { q: 'a b' } });

  expect(bearerTokens(api)).toEqual([first.access_token]);
});

describe('a redirect', () => {
  async function redirected(to: (scene: Scene) => string, config: AxiosRequestConfig = {}): Promise<Scene> {
    const scene = await openScene({ client: { validateStatus: null, ...config } });
    scene.api.next({ respond: { status: 302, headers: { Location: to(scene) } } });
    await scene.client.get('/items');
    return scene;
  }

  test('within the origin takes the access token along', async () => {
    const { api, first } = await redirected(() => '/elsewhere');

    expect(bearerTokens(api)).toEqual([first.access_token, first.access_token]);
  });

  test.each(['http', 'fetch'])(
    'of the %s adapter to another origin does not take it along',
    async (adapter) => {
      const other = await elsewhere();
      await redirected(() => `${other.origin}/`, { adapter });

      expect(other.requests[0]?.authorization).toEqual([]);
    },
  );

  test('to a subdomain does not take it along', async () => {
    const scene = await openScene();
    const { port } = new URL(scene.api.origin);
    const origin = `http://api.localhost:${port}`;
    const sub = await openScene({
      source: { origins: [origin] },
      client: { baseURL: origin, lookup, validateStatus: null },
    });
    scene.api.next({
      respond: { status: 302, headers: { Location: `http://other.api.localhost:${port}/` } },
    });

    await sub.client.get('/items');

    expect(scene.api.requests.map(({ headers }) => headers.host)).toEqual([
      `api.localhost:${port}`,
      `other.api.localhost:${port}`,
    ]);
    expect(bearerTokens(scene.api)).toEqual([sub.first.access_token, undefined]);
  });

  test('that the caller turns to another origin does not take it along', async () => {
    const other = await elsewhere();
    const { port } = new URL(other.origin);
    const { client, api } = await openScene();
    api.next({ respond: { status: 302, headers: { Location: '/items/1' } } });

    await client.get('/items', { beforeRedirect: (hop) => Object.assign(hop, { port }) });

    expect(other.requests[0]).toMatchObject({ url: '/items/1', authorization: [] });
  });

  test('shows the hook of the caller the response, and keeps the header that it sets for the other origin', async () => {
    const other = await elsewhere();
    const { client, api } = await openScene();
    api.next({ respond: { status: 302, headers: { Location: other.origin } } });
    const seen: unknown[] = [];

    await client.get('/items', {
      beforeRedirect(hop, { statusCode }) {
        seen.push(statusCode);
        (hop['headers'] as Record<string, string>)['authorization'] = 'Bearer of-the-other';
      },
    });

    expect(seen).toEqual([302]);
    expect(other.requests[0]?.authorization).toEqual(['Bearer of-the-other']);
  });

  test('whose target answers 401 costs no refresh', async () => {
    const other = await elsewhere();
    other.always(401);
    const { api, authorization } = await redirected(() => other.origin);

    expect(statuses(api)).toEqual([302]);
    expect(statuses(other)).toEqual([401]);
    expect(authorization.exchanges).toEqual([]);
  });
});

describe('a fallback with a header of its own', () => {
  const fallback = { header: 'X-Api-Key', value: 'static-key' };
  const open = (adapter: string | (() => never)): Promise<Scene> =>
    openScene({
      source: { fallback, tokens: { refresh_token: 'dead' } },
      client: { adapter: adapter as never, validateStatus: null },
    });

  test('is taken off a redirect to another origin by the http adapter', async () => {
    const { client, api } = await open('http');
    const other = await elsewhere();
    api.next(
      { respond: { status: 302, headers: { Location: '/here' } } },
      { respond: { status: 302, headers: { Location: other.origin } } },
    );

    await client.get('/items');

    expect(api.requests.map(({ headers }) => headers['x-api-key'])).toEqual(['static-key', 'static-key']);
    expect(other.requests[0]?.headers['x-api-key']).toBeUndefined();
  });

  test('makes the fetch adapter follow no redirect', async () => {
    const { client, api } = await open('fetch');
    const other = await elsewhere();
    api.next(200, { respond: { status: 302, headers: { Location: other.origin } } });

    expect((await client.get('/items')).status).toBe(200);
    const error = await errorOf(client.get('/items'));

    expect(error.code).toBe('ERR_NETWORK');
    expect(api.requests.map(({ headers }) => headers['x-api-key'])).toEqual(['static-key', 'static-key']);
    expect(other.requests).toEqual([]);
  });

  test('is not given to an adapter of which nobody knows what it does with redirects', async () => {
    const never = (): never => {
      throw new Error('The request was sent.');
    };
    const { client, events } = await open(never);

    const error = await errorOf(client.get('/items'));

    expect(error.code).toBe('ERR_REAUTHENTICATION_REQUIRED');
    expect(reasonsOf(events, 'request-not-authorized')).toEqual(['unsafe-fallback']);
    expect(reasonsOf(events, 'fallback-used')).toEqual([]);
  });
});

test('a resolver sees where the request goes, and may leave it alone', async () => {
  const { tokens, bare, api, first } = await openScene();
  const seen: unknown[] = [];
  bare.interceptors.request.use(
    axiosAuth(async ({ url, method, account, native }) => {
      seen.push({ url, method, account, isConfig: (native as AxiosRequestConfig).url === '/items' });
      return account === undefined ? undefined : tokens;
    }),
  );
  afterwards(() => undefined);

  await errorOf(bare.post('/items'));
  await bare.post('/items', {}, { unexpired: { account: 'mine' } });

  const url = `${api.origin}/items`;
  expect(seen).toEqual([
    { url, method: 'POST', account: undefined, isConfig: true },
    { url, method: 'POST', account: 'mine', isConfig: true },
  ]);
  expect(bearerTokens(api)).toEqual([undefined, first.access_token]);
});
