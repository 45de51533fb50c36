import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import type { OptionsInit, RequestError } from 'got';
import { tokensIn } from '../../../test/canaries.ts';
import { shownOf } from '../../../test/shown.ts';
import { statuses } from '../../../test/world.ts';
import { errorOf, openScene, redirectTo, textOf, type Scene } from './scene.ts';

/** The error, and what leads from it to the request. */
function partsOf(error: RequestError): unknown[] {
  const options = [error.options, error.request?.options, error.response?.request.options];
  return [error, error.cause, ...options, ...options.map((each) => each?.headers)];
}

const failures: [string, (scene: Scene) => OptionsInit][] = [
  ['is refused twice', ({ api }) => (api.always(401), {})],
  ['is reset', ({ api }) => (api.always({ reset: 'request' }), {})],
  ['times out', ({ api }) => (api.always({ hold: 'request' }), { timeout: { request: 100 } })],
  ['is redirected for ever', ({ api }) => (api.always(redirectTo('/items')), {})],
  ['is answered by an error', ({ api }) => (api.always(500), {})],
  [
    'is answered by an error to the last retry',
    ({ api }) => (api.always(503), { retry: { limit: 1, backoffLimit: 1 } }),
  ],
  [
    'has an answer that is no JSON',
    ({ api }) => (api.always({ respond: { body: '<html>' } }), { responseType: 'json' }),
  ],
  ['uploads a stream', ({ api }) => (api.always(401), { method: 'POST', body: Readable.from(['a']) })],
];

test.each(failures)('a request that %s shows no token', async (_, prepare) => {
  const scene = await openScene();
  const logged: unknown[] = [];
  const log = (error: RequestError): RequestError => (logged.push(...partsOf(error).map(shownOf)), error);
  const init = prepare(scene);

  const error = await errorOf(
    scene.client(scene.api.origin, {
      ...init,
      hooks: { beforeError: [log], beforeRetry: [(each) => void log(each)] },
    }),
  );

  expect(error).toBeInstanceOf(Error);
  expect(scene.api.requests.length).toBeGreaterThan(0);
  expect(tokensIn(scene, ...partsOf(error), ...logged)).toEqual([]);
  expect(logged).not.toEqual([]);
});

test('what this file looks for is found where nothing is taken away', async () => {
  const scene = await openScene();
  const headers = { authorization: `Bearer ${scene.first.access_token}` };
  scene.api.always(500);

  const error = await errorOf(scene.bare(scene.api.origin, { headers }));

  expect(tokensIn(scene, ...partsOf(error))).toEqual([scene.first.access_token]);
});

test.each([401, 500])('the error of a stream (%i) shows no token', async (status) => {
  const scene = await openScene();
  scene.api.always(status);

  const error = await errorOf(textOf(scene.client.stream(scene.api.origin)));

  expect(statuses(scene.api)).toEqual([status]);
  expect(tokensIn(scene, ...partsOf(error))).toEqual([]);
});

test.each([undefined, new Map()])('an abort shows no token, with a cache (%p)', async (cache) => {
  const scene = await openScene({ before: { cache: cache as never } });
  scene.api.next({ hold: 'request' });
  const controller = new AbortController();
  const request = errorOf(scene.client(scene.api.origin, { signal: controller.signal }));
  await scene.api.requestArrived();

  controller.abort();

  const error = await request;
  expect(error.code).toBe('ERR_ABORTED');
  expect(tokensIn(scene, error, error.cause)).toEqual([]);
});

test('an answer that a shortcut cannot read shows no token', async () => {
  const scene = await openScene();
  scene.api.next({ respond: { body: '<html>' } });

  const error = await errorOf(scene.client(scene.api.origin).json());

  expect(error.name).toBe('ParseError');
  expect(tokensIn(scene, ...partsOf(error))).toEqual([]);
});

test('a fallback is shown as little', async () => {
  const fallback = { header: 'X-Api-Key', value: 'static-key' };
  const scene = await openScene({ source: { fallback } });
  await scene.tokens.signOut();
  scene.api.always(500);

  const error = await errorOf(scene.client(scene.api.origin));

  expect(scene.api.requests[0]?.headers['x-api-key']).toBe('static-key');
  expect(partsOf(error).map(shownOf).join('\n')).not.toContain('static-key');
});

test('the options of a response hold no token', async () => {
  const scene = await openScene();

  const response = await scene.client(scene.api.origin);

  expect(tokensIn(scene, response.request.options, response.request.options.headers)).toEqual([]);
});

test.each(['promise', 'stream'])('an abort before the request is made shows no token (%s)', async (kind) => {
  const scene = await openScene();
  const controller = new AbortController();
  let carried: unknown;
  // Aborted where the headers are there, and the native request is not.
  const never = async (_: unknown, { headers }: { headers?: object }): Promise<never> => {
    carried = headers;
    controller.abort();
    return new Promise(() => undefined);
  };
  const init = { signal: controller.signal, request: never } as OptionsInit;

  const error = await (kind === 'promise'
    ? errorOf(scene.client(scene.api.origin, init))
    : errorOf(textOf(scene.client.stream(scene.api.origin, init as never))));

  expect(error.code).toBe('ERR_ABORTED');
  expect(shownOf(carried)).toContain(scene.first.access_token);
  expect(tokensIn(scene, ...partsOf(error))).toEqual([]);
});
