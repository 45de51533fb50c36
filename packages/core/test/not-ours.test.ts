import { expect, test } from '@jest/globals';
import { explain401 } from '@unexpired/core';
import { API, authorize, createScene, refuse, typesOf } from './scene.ts';

test.each([
  ['about another scheme', { challenge: 'Basic realm="proxy"' }],
  ['of another origin', { url: 'https://elsewhere.example.com/' }],
  ['about the scope', { challenge: 'Bearer error="insufficient_scope"' }],
])('a 401 %s is told of as not ours, and has no explanation', async (_, facts) => {
  const { source, events, refresh } = createScene();
  const native = {};

  expect(await refuse(source, await authorize(source), { native, ...facts })).toBeUndefined();

  expect(events.at(-1)).toMatchObject({ type: 'not-replayed', reason: 'not-ours', origin: API });
  expect(explain401(native)).toBeUndefined();
  expect(refresh.calls).toHaveLength(0);
});

test('a 401 for the fallback is told of as not ours, and has no explanation', async () => {
  const { source, events } = createScene({ fallback: 'static-key' });
  await source.signOut();
  const native = {};

  expect(await refuse(source, await authorize(source), { native })).toBeUndefined();

  expect(events.at(-1)).toMatchObject({ type: 'not-replayed', reason: 'not-ours', origin: API });
  expect(explain401(native)).toBeUndefined();
});

test('a failure that is no 401 is not told of', async () => {
  const { source, events } = createScene();

  await refuse(source, await authorize(source), { status: 500 });

  expect(typesOf(events)).not.toContain('not-replayed');
});

const basic = { header: () => 'Basic realm=x' };

test('a replay that a gateway refuses does not close the gate of its origin', async () => {
  const { source, events } = createScene();
  const replay = (await refuse(source, await authorize(source)))!;

  source.settled(replay, 401, basic);
  expect(typesOf(events)).not.toContain('gate-closed');

  source.settled(replay, 401);
  expect(typesOf(events)).toContain('gate-closed');
});

test('a replay that a gateway refuses does not open the gate of its origin', async () => {
  const { source, events } = createScene();
  const replay = (await refuse(source, await authorize(source)))!;
  source.settled(replay, 401);

  source.settled(replay, 401, basic);
  expect(typesOf(events)).not.toContain('gate-opened');

  source.settled(replay, 200);
  expect(typesOf(events)).toContain('gate-opened');
});
