import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { AxiosError, type AxiosRequestConfig } from 'axios';
import * as undici from 'undici';
import { tokensIn } from '../../../test/canaries.ts';
import { afterwards, statuses } from '../../../test/world.ts';
import { errorOf, keepAliveAgent, openScene, textOf, type Scene } from './scene.ts';

test('what this file looks for is found where nothing is concealed', async () => {
  const scene = await openScene();
  const { bare, first } = scene;

  const error = await errorOf(
    bare.get('/items', { headers: { Authorization: `Bearer ${first.access_token}x` } }),
  );

  // Of the config alone: what a bare error leads to has no end.
  expect(tokensIn(scene, error.config)).toEqual([first.access_token]);
});

test.each(['http', 'fetch'])('a 401 of the %s adapter shows no token', async (adapter) => {
  const scene = await openScene({ client: { adapter } });
  scene.api.always(401);

  const error = await errorOf(scene.client.post('/items', { a: 1 }));

  expect(statuses(scene.api)).toEqual([401, 401]);
  expect(tokensIn(scene, error)).toEqual([]);
});

test('an error keeps what it conceals within reach', async () => {
  const scene = await openScene({ client: { httpAgent: keepAliveAgent() } });
  scene.api.always(401);

  const error = await errorOf(scene.client.post('/items', Readable.from(['a'])));

  expect(error.request).toBe(error.response?.request);
  expect(error.request).toMatchObject({ path: '/items' });
  expect(error.config?.httpAgent).toBe(scene.client.defaults.httpAgent);
  expect(error.config?.data).toBeInstanceOf(Readable);
});

const failures: [string, (scene: Scene) => AxiosRequestConfig][] = [
  ['is reset', ({ api }) => (api.next({ reset: 'request' }), {})],
  ['times out', ({ api }) => (api.next({ hold: 'request' }), { timeout: 50 })],
  ['has too long an answer', () => ({ maxContentLength: 5 })],
  [
    'is redirected for ever',
    ({ api }) => (api.always({ respond: { status: 302, headers: { Location: '/items' } } }), {}),
  ],
  ['is answered by an error', ({ api }) => (api.next(500), {})],
];

test.each(failures)(
  'a request that %s shows no token, nor does the agent that it used',
  async (_, prepare) => {
    for (const adapter of ['http', 'fetch']) {
      const scene = await openScene({
        client: { adapter, httpAgent: keepAliveAgent({ maxSockets: 2 }) },
      });
      scene.api.next({ hold: 'request' });
      const held = scene.client.get('/held');
      await scene.api.requestArrived();

      const error = await errorOf(scene.client.get('/items', prepare(scene)));

      expect(error).toBeInstanceOf(AxiosError);
      expect(tokensIn(scene, error)).toEqual([]);
      scene.api.release();
      await held.catch(() => undefined);
    }
  },
);

test('the dispatcher of the fetch adapter shows no token while it sends', async () => {
  const scene = await openScene({ client: { adapter: 'fetch' } });
  const dispatcher = new undici.Agent();
  afterwards(() => dispatcher.destroy());
  const client: AxiosRequestConfig = { env: undici as never, fetchOptions: { dispatcher } };
  scene.api.next({ hold: 'request' });
  const held = scene.client.get('/held', client);
  await scene.api.requestArrived();
  scene.api.next(500);

  const error = await errorOf(scene.client.get('/items', client));

  expect(tokensIn(scene, error)).toEqual([]);
  scene.api.release();
  await held.catch(() => undefined);
});

test('a stream that is too long to be kept and its 401 show no token', async () => {
  const scene = await openScene({ source: { limits: { replayBytes: 0 } } });
  scene.authorization.revokeAccessTokens();
  scene.api.next({ early: true });
  const endless = new Readable({
    read() {
      this.push(Buffer.alloc(1024));
    },
  });
  afterwards(() => endless.destroy());

  const error = await errorOf(scene.client.put('/file', endless, { maxRedirects: 0 }));

  expect(error.response?.status).toBe(401);
  expect(tokensIn(scene, error)).toEqual([]);
});

test.each(['http', 'fetch'])(
  'a 401 that is handed on as a stream by the %s adapter shows no token',
  async (adapter) => {
    const scene = await openScene({ client: { adapter, responseType: 'stream' } });
    scene.api.always(401);

    const error = await errorOf(scene.client.get('/items'));

    expect(tokensIn(scene, error)).toEqual([]);
    expect(await textOf(error.response?.data)).toBe('{"error":"invalid_token"}');
  },
);

test('an abort while a streamed response is read shows no token', async () => {
  const scene = await openScene({ client: { responseType: 'stream' } });
  scene.api.next({ respond: { body: 'x'.repeat(1_000_000) }, hold: 'body' });
  const controller = new AbortController();
  const { data } = await scene.client.get<Readable>('/items', { signal: controller.signal });

  const failed = new Promise((resolve) => data.once('error', resolve));
  controller.abort();
  data.resume();

  const error = await failed;
  expect(error).toMatchObject({ name: 'CanceledError' });
  expect(tokensIn(scene, error)).toEqual([]);
});

test('an abort shows no token', async () => {
  const scene = await openScene();
  scene.api.next({ hold: 'request' });
  const controller = new AbortController();
  const request = errorOf(scene.client.get('/items', { signal: controller.signal }));
  await scene.api.requestArrived();

  controller.abort();

  const error = await request;
  expect(error).toMatchObject({ name: 'CanceledError', code: 'ERR_CANCELED' });
  expect(tokensIn(scene, error)).toEqual([]);
});

test('an answer that is no JSON shows no token', async () => {
  const scene = await openScene();
  scene.api.next({ respond: { headers: { 'Content-Type': 'application/json' }, body: '<html>' } });

  const error = await errorOf(
    scene.client.get('/items', { responseType: 'json', transitional: { silentJSONParsing: false } }),
  );

  expect(error.name).toBe('SyntaxError');
  expect(tokensIn(scene, error)).toEqual([]);
});

test('a response stays as axios made it, and its config has no token', async () => {
  const scene = await openScene();

  const response = await scene.client.get('/items');

  expect(Object.keys(response)).toContain('request');
  expect(response.request).toMatchObject({ path: '/items' });
  expect(tokensIn(scene, response.config)).toEqual([]);
});

test('an upload that is too long shows no token, nor does what caused its error', async () => {
  const scene = await openScene();
  const body = Readable.from(['x'.repeat(100)], { objectMode: false });

  const error = await errorOf(scene.client.post('/items', body, { maxRedirects: 0, maxBodyLength: 10 }));

  expect(error.cause).toBeDefined();
  expect(tokensIn(scene, error)).toEqual([]);
  expect(tokensIn(scene, error.cause)).toEqual([]);
});
