import { expect, test } from '@jest/globals';
import { explain401 } from '@unexpired/core';
import { fetchAuth } from '@unexpired/fetch';
import { openWorld, statuses, type World } from '../../../test/world.ts';

// Node 24.14 rejects where a streamed body is answered 401; other versions give the response.
const hides401 = process.version === 'v24.14.0';

let scene: World;

async function* chunks(): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode('one, ');
  yield new TextEncoder().encode('two');
}

function post(unexpired = {}): Promise<Response> {
  const init = { method: 'POST', body: chunks(), duplex: 'half', unexpired };
  return fetchAuth(scene.tokens)(scene.api.origin, init as unknown as RequestInit);
}

test('the 401 to a streamed body is replayed from the recording', async () => {
  scene = await openWorld();
  scene.authorization.revokeAccessTokens();

  expect((await post()).status).toBe(200);
  expect(statuses(scene.api)).toEqual([401, 200]);
  expect(scene.api.requests[1]?.body.toString()).toBe('one, two');
});

test('the 401 to a streamed body is replayed from a factory', async () => {
  scene = await openWorld({ source: { limits: { replayBytes: 0 } } });
  scene.authorization.revokeAccessTokens();

  expect((await post({ body: () => 'again' })).status).toBe(200);
  expect(scene.api.requests[1]?.body.toString()).toBe('again');
});

test('the 401 to a streamed body that was not kept is explained, as a response or as an error', async () => {
  scene = await openWorld({ source: { limits: { replayBytes: 0 } } });
  scene.authorization.revokeAccessTokens();

  const outcome = await post().catch((error: unknown) => error);

  expect(explain401(outcome)).toMatchObject({ reason: 'body-spent' });
  expect(outcome).toMatchObject(hides401 ? { message: 'fetch failed' } : { status: 401 });
  expect(statuses(scene.api)).toEqual([401]);
});

test('a second 401 to a streamed body is explained, as a response or as an error', async () => {
  scene = await openWorld();
  scene.api.always(401);

  const outcome = await post().catch((error: unknown) => error);

  expect(explain401(outcome)).toMatchObject({ reason: 'refused-again' });
  expect(statuses(scene.api)).toEqual([401, 401]);
});

test('the next request has the fresh access token', async () => {
  scene = await openWorld({ source: { limits: { replayBytes: 0 } } });
  scene.authorization.revokeAccessTokens();
  await post().catch(() => undefined);

  expect((await post()).status).toBe(200);
  expect(scene.authorization.exchanges).toHaveLength(1);
});
