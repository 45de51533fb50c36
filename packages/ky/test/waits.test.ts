import { expect, test } from '@jest/globals';
import { kyAuth } from '@unexpired/ky';
import ky from 'ky';
import { rejectionOf, statuses } from '../../../test/world.ts';
import { openScene, type Scene, type SceneOptions } from './scene.ts';

/** A refresh that is held at the token endpoint while a request waits for it. */
async function openHeld(options: SceneOptions = {}): Promise<Scene> {
  const scene = await openScene(options);
  scene.authorization.revokeAccessTokens();
  scene.authorization.next({ hold: 'answer' });
  return scene;
}

test('an abort ends the wait at once, and the refresh goes on for the others', async () => {
  const { api, client, authorization } = await openHeld();
  const controller = new AbortController();
  const reason = new Error('enough');
  const leaving = client.get('leaving', { signal: controller.signal });
  const staying = client.get('staying');
  await authorization.requestArrived();

  controller.abort(reason);

  await expect(leaving).rejects.toBe(reason);
  expect(authorization.held).toBe(1);
  authorization.release();
  expect((await staying).status).toBe(200);
  expect(authorization.exchanges).toHaveLength(1);
  expect(statuses(api)).toEqual([401, 401, 200]);
});

test('a signal of the Request that ky was given counts', async () => {
  const { api, client, authorization } = await openHeld();
  const controller = new AbortController();
  const leaving = client(new Request(api.origin, { signal: controller.signal }));
  await authorization.requestArrived();
  const reason = new Error('enough');

  controller.abort(reason);

  await expect(leaving).rejects.toBe(reason);
  expect(authorization.held).toBe(1);
  authorization.release();
});

test.each(['timeout', 'totalTimeout'])(
  "the caller's `%s` ends the wait with ky's own error, and the refresh goes on for the others",
  async (option) => {
    const { api, client, authorization } = await openHeld({ ky: { timeout: false } });
    const leaving = rejectionOf(client.get('leaving', { [option]: 300 }));
    const staying = client.get('staying');
    await authorization.requestArrived();

    expect(await leaving).toMatchObject({ name: 'TimeoutError' });

    expect(authorization.held).toBe(1);
    authorization.release();
    expect((await staying).status).toBe(200);
    expect(authorization.exchanges).toHaveLength(1);
    expect(statuses(api)).toEqual([401, 401, 200]);
  },
);

test('a wait before the first attempt is ended as well, and nothing is sent', async () => {
  const { api, client, authorization, first } = await openScene({
    source: { tokens: { refresh_token: 'unused' } },
    ky: { timeout: 50 },
  });
  authorization.next({ hold: 'answer' });

  expect(await rejectionOf(client.get('things'))).toMatchObject({ name: 'TimeoutError' });

  expect(first.access_token).not.toBe('');
  expect(api.requests).toHaveLength(0);
  authorization.release();
});

test("ky's retry after its timeout sends with what the refresh brought", async () => {
  const { api, client, authorization } = await openHeld({
    ky: { timeout: 300, retry: { limit: 1, delay: () => 0, retryOnTimeout: true } },
  });
  const sent = client.get('things', {
    hooks: { beforeRetry: [() => void authorization.release()] },
  });

  expect((await sent).status).toBe(200);
  expect(authorization.exchanges).toHaveLength(1);
  expect(api.requests.at(-1)?.bearerToken).toBe(authorization.exchanges[0]?.issued?.access_token);
});

test('discarded 401s give their connections back', async () => {
  const { api, client, tokens, authorization } = await openScene();
  for (let round = 0; round < 20; round += 1) {
    api.next({ respond: { status: 401, body: 'x'.repeat(round % 2 === 0 ? 50 : 60_000) } });
    await client.get('things').text();
    await tokens.signIn(await authorization.signIn());
  }

  expect(api.connections).toBeLessThanOrEqual(5);
});

test('an abort before the call hides what the resolver rejects with', async () => {
  const { api } = await openScene();
  const reason = new Error('gone');
  const client = ky.create({ retry: 0 }).extend(kyAuth(async () => Promise.reject(new Error('no session'))));

  await expect(client.get(api.origin, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  await new Promise(setImmediate);
});

test('an abort by the factory hides what it rejects with', async () => {
  const { client, authorization } = await openScene();
  const controller = new AbortController();
  const reason = new Error('enough');
  const body = async (): Promise<never> => {
    controller.abort(reason);
    throw new Error('the file is gone');
  };
  authorization.revokeAccessTokens();

  const sending = client.post('things', {
    body: 'text',
    signal: controller.signal,
    context: { unexpired: { body } },
  });

  await expect(sending).rejects.toBe(reason);
  await new Promise(setImmediate);
});
