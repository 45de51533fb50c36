import { expect, test } from '@jest/globals';
import { undiciAuth } from '@unexpired/undici';
import { fetch, interceptors, type Dispatcher } from 'undici';
import { tokensIn } from '../../../test/canaries.ts';
import { shownOf } from '../../../test/shown.ts';
import { rejectionOf } from '../../../test/world.ts';
import { openAgent, openScene, sendBy, type Scene } from './scene.ts';

const failures: [string, (scene: Scene) => object][] = [
  ['is reset', ({ api }) => (api.always({ reset: 'request' }), {})],
  ['times out', ({ api }) => (api.always({ hold: 'request' }), { headersTimeout: 100 })],
  ['is aborted', ({ api }) => (api.always({ hold: 'request' }), { signal: AbortSignal.timeout(100) })],
  ['is answered by an error', ({ api }) => (api.always(500), {})],
  ['is refused twice', ({ api }) => (api.always(401), {})],
  ['has a wrong header', () => ({ headers: { 'X-Wrong': 'a\nb' } })],
];

test.each(failures)('a request that %s shows no token', async (_, prepare) => {
  const scene = await openScene({ after: [interceptors.responseError()] });
  const options = prepare(scene);

  const error = await rejectionOf(sendBy(scene.dispatcher, scene.api.origin, options));

  expect(error).toBeInstanceOf(Error);
  expect(tokensIn(scene, error, error.cause)).toEqual([]);
});

test('a fetch that fails shows no token', async () => {
  const scene = await openScene();
  scene.api.always({ reset: 'request' });

  const error = await rejectionOf(fetch(scene.api.origin, { dispatcher: scene.dispatcher }));

  expect(tokensIn(scene, error, error.cause)).toEqual([]);
});

test('a controller, and the wrong order of interceptors, show no token', async () => {
  const scene = await openScene();
  const seen: unknown[] = [];
  const look: Dispatcher.DispatcherComposeInterceptor = (dispatch) => (opts, handler) => {
    const start = handler.onRequestStart!.bind(handler);
    handler.onRequestStart = (controller, context) => {
      seen.push(controller);
      start(controller, context);
    };
    return dispatch(opts, handler);
  };
  const agent = openAgent();
  await sendBy(agent.compose(undiciAuth(scene.tokens), look), scene.api.origin);
  const wrong = agent.compose(interceptors.retry(), undiciAuth(scene.tokens));

  const error = await rejectionOf(sendBy(wrong, scene.api.origin));

  expect(seen).toHaveLength(1);
  expect(tokensIn(scene, error, ...seen)).toEqual([]);
  expect(shownOf(scene.first)).toContain(scene.first.access_token);
});
