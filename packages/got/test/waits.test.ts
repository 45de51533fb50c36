import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import type { OptionsInit } from 'got';
import { bearerTokens, statuses } from '../../../test/world.ts';
import { errorOf, openScene, type Scene } from './scene.ts';

async function expiredScene(): Promise<Scene> {
  const scene = await openScene();
  await scene.tokens.signIn({ ...scene.first, expires_in: 0 });
  return scene;
}

const beginnings: [string, (scene: Scene) => unknown][] = [
  ['an access token', ({ tokens, first }) => tokens.signIn({ ...first, expires_in: 0 })],
  ['the answer to its 401', ({ authorization }) => authorization.revokeAccessTokens()],
];

test.each(beginnings)(
  'a caller that aborts while it waits for %s leaves at once and alone',
  async (_, begin) => {
    const scene = await openScene();
    const { api, client, authorization } = scene;
    await begin(scene);
    authorization.next({ hold: 'answer' });
    const controller = new AbortController();
    const leaving = errorOf(client(api.origin, { signal: controller.signal }));
    const staying = client(api.origin);
    await authorization.requestArrived();

    controller.abort();

    expect(await leaving).toMatchObject({ name: 'AbortError', code: 'ERR_ABORTED' });
    expect(authorization.release()).toBe(1);
    expect((await staying).statusCode).toBe(200);
    expect(authorization.exchanges).toHaveLength(1);
  },
);

// Jest fails it where a rejection is left unhandled.
test('a refresh that everybody left goes on', async () => {
  const { api, client, authorization, tokens } = await expiredScene();
  authorization.next({ hold: 'answer' });
  const controller = new AbortController();
  const { signal } = controller;
  const leaving = [1, 2].map(() => errorOf(client(api.origin, { signal })));
  await authorization.requestArrived();
  controller.abort();
  await Promise.all(leaving);
  authorization.release();

  await tokens.getAccessToken();

  await new Promise(setImmediate);
  expect(api.requests).toHaveLength(0);
});

test.each(beginnings)('a timeout of got does not count the wait for %s', async (_, begin) => {
  const scene = await openScene();
  const { api, client, authorization } = scene;
  await begin(scene);
  authorization.next({ hold: 'answer' });
  const init: OptionsInit = { timeout: { request: 300, response: 300 } };
  const sending = client(api.origin, init);
  await authorization.requestArrived();
  // It takes as long as the timeout is.
  scene.elsewhere.next({ hold: 'request' });
  await errorOf(scene.bare(scene.elsewhere.origin, init));

  authorization.release();

  expect(await sending).toMatchObject({ statusCode: 200 });
});

test('an upload that is aborted during the refresh lets go of its source', async () => {
  const { api, client, authorization } = await openScene();
  authorization.revokeAccessTokens();
  authorization.next({ hold: 'answer' });
  const controller = new AbortController();
  const body = Readable.from(['a']);
  const leaving = errorOf(client.post(api.origin, { body, signal: controller.signal }));
  await authorization.requestArrived();

  controller.abort();
  await leaving;

  expect(body.destroyed).toBe(true);
  authorization.release();
});

const unsent: [string, (scene: Scene, controller: AbortController) => unknown][] = [
  ['is signed out', ({ tokens }) => tokens.signOut()],
  ['is aborted before', (_, controller) => controller.abort()],
  [
    'is aborted in the refresh',
    ({ authorization }, controller) => {
      authorization.next({ hold: 'answer' });
      void authorization.requestArrived().then(() => controller.abort());
    },
  ],
];

test.each(unsent)('an upload that %s lets go of its source', async (_, fail) => {
  const scene = await expiredScene();
  const { api, client, authorization } = scene;
  const controller = new AbortController();
  const body = Readable.from(['a']);
  await fail(scene, controller);

  await errorOf(client.post(api.origin, { body, signal: controller.signal }));

  expect(body.destroyed).toBe(true);
  expect(api.requests).toHaveLength(0);
  authorization.release();
});

test('the replay carries the access token of the refresh', async () => {
  const { api, client, authorization, first } = await openScene();
  authorization.revokeAccessTokens();

  await client.post(api.origin, { json: {} });

  expect(statuses(api)).toEqual([401, 200]);
  expect(bearerTokens(api)).toEqual([first.access_token, authorization.exchanges[0]?.issued?.access_token]);
});
