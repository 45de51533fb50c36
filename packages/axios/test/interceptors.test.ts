import { afterAll, describe, expect, test } from '@jest/globals';
import { axiosAuth } from '@unexpired/axios';
import { createTokenSource, explain401 } from '@unexpired/core';
import axios, {
  type AxiosInstance,
  type AxiosRequestConfig,
  type AxiosResponse,
  type InternalAxiosRequestConfig,
} from 'axios';
import MockAdapter from 'axios-mock-adapter';
import axiosRetry from 'axios-retry';
import nock from 'nock';
import { afterwards, bearerTokens, reasonsOf, statuses } from '../../../test/world.ts';
import { errorOf, keepAliveAgent, openScene } from './scene.ts';

const ORIGIN = 'https://api.example.com';

interface NockScene {
  readonly client: AxiosInstance;
  readonly attach: () => void;
  readonly seen: (string | null)[];
}

/** An API that refuses the token `old` and takes `new`; `attach` adds the interceptor. */
function openNock(defaults: object = {}): NockScene {
  const tokens = createTokenSource({
    origins: [ORIGIN],
    tokens: { access_token: 'old' },
    refresh: () => ({ access_token: 'new' }),
  });
  const seen: (string | null)[] = [];
  nock.disableNetConnect();
  const scope = nock(ORIGIN).persist();
  for (const method of ['get', 'post'] as const) {
    scope[method](/.*/).reply(async (request: Request) => {
      const header = request.headers.get('authorization');
      seen.push(header);
      const body = await request.text();
      return header === 'Bearer new' ? [200, { echo: body }] : [401, { error: 'invalid_token' }];
    });
  }
  afterwards(() => {
    nock.cleanAll();
    nock.enableNetConnect();
    return tokens.close();
  });
  const client = axios.create({ baseURL: ORIGIN, ...defaults });
  return { client, seen, attach: () => void client.interceptors.request.use(axiosAuth(tokens)) };
}

// nock patches Node's own modules, which the next test file of this worker shares.
afterAll(() => nock.restore());

const unwrap = (response: AxiosResponse): never => response.data as never;

describe('response interceptors', () => {
  test('one registered after ours sees one response, so that unwrapping it twice loses nothing', async () => {
    const { client, attach, seen } = openNock();
    attach();
    client.interceptors.response.use(unwrap);

    expect(await client.post('/items', { a: 1 })).toEqual({ echo: '{"a":1}' });
    expect(seen).toEqual(['Bearer old', 'Bearer new']);
  });

  test('one registered before ours sees one response', async () => {
    const { client, attach, seen } = openNock();
    let calls = 0;
    client.interceptors.response.use((response) => {
      calls += 1;
      return unwrap(response);
    });
    attach();

    expect(await client.post('/items', { a: 1 })).toEqual({ echo: '{"a":1}' });
    expect(calls).toBe(1);
    expect(seen).toEqual(['Bearer old', 'Bearer new']);
  });

  test('one that maps errors never meets the 401 that was answered by a replay', async () => {
    const { client, attach } = openNock();
    client.interceptors.response.use(undefined, () => Promise.reject(new Error('mapped')));
    attach();

    expect((await client.get('/items')).status).toBe(200);
  });
});

describe('request interceptors', () => {
  test.each([true, false])(
    'run once for a request that is replayed, with legacy ordering %s',
    async (legacy) => {
      const { client, attach, seen } = openNock({
        transitional: { legacyInterceptorReqResOrdering: legacy },
      });
      const order: string[] = [];
      const note = (name: string) => (config: InternalAxiosRequestConfig) => {
        order.push(name);
        return config;
      };
      client.interceptors.request.use(note('before'));
      attach();
      client.interceptors.request.use(note('after'));

      await client.get('/items');

      expect(order).toEqual(legacy ? ['after', 'before'] : ['before', 'after']);
      expect(seen).toEqual(['Bearer old', 'Bearer new']);
    },
  );

  test('ours returns the config at once, so it may be registered as synchronous', async () => {
    const { client, seen } = openNock();
    const tokens = createTokenSource({
      origins: [ORIGIN],
      tokens: { access_token: 'old' },
      refresh: () => ({ access_token: 'new' }),
    });
    afterwards(() => tokens.close());
    client.interceptors.request.use(axiosAuth(tokens), undefined, { synchronous: true });

    expect((await client.get('/items')).status).toBe(200);
    expect(seen).toEqual(['Bearer old', 'Bearer new']);
  });

  test('one that replaces the config by a copy changes nothing', async () => {
    const { client, attach, seen } = openNock();
    client.interceptors.request.use((config) => ({ ...config }));
    attach();
    client.interceptors.request.use((config) => ({ ...config }));

    await client.get('/items', { unexpired: { minTtlMs: 1 } });

    expect(seen).toEqual(['Bearer old', 'Bearer new']);
  });
});

test('an interceptor that is attached twice sends two requests after a 401, not four', async () => {
  const { client, api, authorization, tokens } = await openScene();
  client.interceptors.request.use(axiosAuth(tokens));
  authorization.revokeAccessTokens();

  await client.get('/items');

  expect(statuses(api)).toEqual([401, 200]);
});

test('an interceptor that is attached again after another stands aside for no header of ours', async () => {
  const { client, api, tokens, events } = await openScene();
  const other = await openScene();
  client.interceptors.request.use(axiosAuth(other.tokens));
  client.interceptors.request.use(axiosAuth(tokens));

  await client.get('/items');

  expect(statuses(api)).toEqual([200]);
  expect(reasonsOf(events, 'request-not-authorized')).toEqual([]);
});

test('two sources on one instance serve an origin each', async () => {
  const scene = await openScene();
  const other = await openScene();
  scene.client.interceptors.request.use(axiosAuth(other.tokens));
  scene.authorization.revokeAccessTokens();
  other.authorization.revokeAccessTokens();

  await scene.client.get('/items');
  await scene.client.get(`${other.api.origin}/items`);

  expect(statuses(scene.api)).toEqual([401, 200]);
  expect(statuses(other.api)).toEqual([401, 200]);
});

describe('validateStatus', () => {
  test.each([
    ['null', null],
    ['always true', () => true],
  ])('that is %s hides no 401 from us, and the caller gets a response', async (_, validateStatus) => {
    const { client, api, authorization } = await openScene({ client: { validateStatus } });
    authorization.revokeAccessTokens();

    expect((await client.get('/items')).status).toBe(200);

    expect(statuses(api)).toEqual([401, 200]);
    authorization.revokeAccessTokens();
    api.always(401);
    const response = await client.get('/items');
    expect(response.status).toBe(401);
    expect(explain401(response)).toMatchObject({ reason: 'refused-again' });
  });

  test('of the caller decides what an error is, for the replay too', async () => {
    const { client, api, authorization } = await openScene({
      client: { validateStatus: (status) => status === 401 },
    });
    authorization.revokeAccessTokens();

    const error = await errorOf(client.get('/items'));

    expect(error.message).toBe('Request failed with status code 200');
    expect(statuses(api)).toEqual([401, 200]);
  });
});

describe('axios-retry', () => {
  test('carries the current access token on its own retry', async () => {
    const { client, api, authorization, tokens, first } = await openScene();
    axiosRetry(client, { retries: 1 });
    const next = await authorization.signIn();
    api.next(async () => {
      await tokens.signIn(next);
      return { status: 503 };
    });

    await client.get('/items');

    expect(statuses(api)).toEqual([503, 200]);
    expect(bearerTokens(api)).toEqual([first.access_token, next.access_token]);
  });

  test('leaves the 401 to us, also on a request that it sends once more', async () => {
    const { client, api, authorization } = await openScene();
    axiosRetry(client, { retries: 1 });
    authorization.revokeAccessTokens();
    api.next(503);

    await client.get('/items');

    expect(statuses(api)).toEqual([503, 401, 200]);
    expect(authorization.exchanges).toHaveLength(1);
  });

  test('sends once more with the agent of the request', async () => {
    const { client, api } = await openScene();
    axiosRetry(client, { retries: 1 });
    api.next(503);
    const httpAgent = keepAliveAgent();
    let sockets = 0;
    httpAgent.on('free', () => (sockets += 1));

    await client.get('/items', { httpAgent });

    expect(statuses(api)).toEqual([503, 200]);
    expect(sockets).toBe(2);
  });

  test('sends a factory body as the first one was made, although it switches the transforms off', async () => {
    const { client, api, authorization } = await openScene();
    axiosRetry(client, { retries: 1 });
    authorization.revokeAccessTokens();
    api.next(503);

    await client.put('/items', { attempt: 1 }, { unexpired: { body: () => ({ attempt: 2 }) } });

    expect(statuses(api)).toEqual([503, 401, 200]);
    expect(api.requests.map(({ body }) => body.toString())).toEqual([
      '{"attempt":1}',
      '{"attempt":1}',
      '{"attempt":2}',
    ]);
  });
});

describe('axios-mock-adapter', () => {
  test.each(['before', 'after'])('mocks an instance %s our interceptor is attached', async (when) => {
    const { client, attach } = openNock();
    if (when === 'after') attach();
    const mock = new MockAdapter(client as never);
    if (when === 'before') attach();
    const seen: unknown[] = [];
    mock.onPost('/items').reply((config) => {
      seen.push(config.headers?.['authorization']);
      return seen.length === 1 ? [401, {}] : [201, { data: config.data as unknown }];
    });

    const response = await client.post('/items', { a: 1 });

    expect(response).toMatchObject({ status: 201, data: { data: '{"a":1}' } });
    expect(seen).toEqual(['Bearer old', 'Bearer new']);
    expect(response.config.headers.has('authorization')).toBe(false);
  });

  test('passes through to the real adapter', async () => {
    const { client, attach, seen } = openNock();
    attach();
    new MockAdapter(client as never).onAny().passThrough();

    expect((await client.get('/items')).status).toBe(200);
    expect(seen).toEqual(['Bearer old', 'Bearer new']);
  });
});

describe('the adapter', () => {
  test.each([
    ['a name', 'fetch'],
    ['a list of names', ['no-such', 'fetch'].slice(1)],
    ['undefined', undefined],
  ])('may be given as %s', async (_, adapter) => {
    const { client, attach, seen } = openNock();
    attach();

    expect((await client.get('/items', { adapter } as AxiosRequestConfig)).status).toBe(200);
    expect(seen).toEqual(['Bearer old', 'Bearer new']);
  });

  test('may be a function, of the instance or of the request', async () => {
    const { client, attach } = openNock();
    attach();
    const seen: unknown[] = [];
    const adapter = async (config: InternalAxiosRequestConfig): Promise<AxiosResponse> => {
      const authorization = config.headers.get('authorization');
      seen.push(authorization);
      const status = authorization === 'Bearer new' ? 200 : 401;
      return { status, statusText: '', data: '', headers: {}, config };
    };

    expect((await client.get('/items', { adapter } as AxiosRequestConfig)).status).toBe(200);
    client.defaults.adapter = adapter;
    expect((await client.get('/items')).status).toBe(200);

    expect(seen).toEqual(['Bearer old', 'Bearer new', 'Bearer new']);
  });

  test('is that of axios where an interceptor took it away', async () => {
    const { client, attach, seen } = openNock();
    attach();
    client.interceptors.request.use(({ adapter: _, ...config }) => config);

    expect((await client.get('/items')).status).toBe(200);
    expect(seen).toEqual(['Bearer old', 'Bearer new']);
  });

  test('that axios does not know is reported as by axios itself', async () => {
    const { client, attach } = openNock();
    attach();

    const error = await errorOf(client.get('/items', { adapter: 'no-such' }));

    expect(error.message).toBe("Unknown adapter 'no-such'");
  });

  test('that rejects with no object is passed on', async () => {
    const { client, attach } = openNock();
    attach();

    expect(await errorOf(client.get('/items', { adapter: () => Promise.reject('no') }))).toBe('no');
  });
});

test('the transforms of a config are the caller’s own again when the request has ended', async () => {
  const { client, api } = await openScene();
  const transformResponse = [(data: string): number => data.length, (length: number): object => ({ length })];

  const { data, config } = await client.get('/items', { transformResponse });
  api.always(401);
  const error = await errorOf(client.get('/items', { transformResponse }));

  expect(data).toEqual({ length: expect.any(Number) });
  expect(error.response?.data).toEqual({ length: '{"error":"invalid_token"}'.length });
  expect([config.transformResponse, error.config?.transformResponse]).toEqual([
    transformResponse,
    transformResponse,
  ]);
});

test('a caller sees its own config, and the event tells why nothing was replayed', async () => {
  const { client, api, authorization, events } = await openScene();
  authorization.revokeAccessTokens();
  api.always(401);

  const error = await errorOf(client.get('/items', { headers: { 'X-Own': 'yes' } }));

  expect(error.response?.config).toBe(error.config);
  expect(error.config?.headers.toJSON()).toMatchObject({ 'X-Own': 'yes' });
  expect(error.config?.headers.has('authorization')).toBe(false);
  expect(reasonsOf(events, 'not-replayed')).toEqual(['refused-again']);
});
