import { expect, test } from '@jest/globals';
import { createTokenSource, type TokenSource } from '@unexpired/core';
import { createFakeClock } from '@unexpired/testing';
import { createPlace } from './place.ts';
import {
  API,
  authorize,
  createAgedScene,
  createScene,
  DUE_MS,
  errorOf,
  EXPIRED_MS,
  tokens,
} from './scene.ts';

test('a refresh function that waits for its own source is told, with the way out', async () => {
  const scene = await createAgedScene(EXPIRED_MS);
  scene.refresh.always(async () => {
    await authorize(scene.source);
    return tokens(2);
  });

  const error = await errorOf(scene.source.getAccessToken());

  expect(error).toMatchObject({ code: 'ERR_MISCONFIGURED' });
  expect(error.message).toContain('skip');
  expect(scene.refresh.calls).toHaveLength(1);
});

test('a store that waits for its own source is told', async () => {
  const place = createPlace();
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open() });
  const told: unknown[] = [];
  place.before = async (call) => {
    if (call === 'write') told.push((await errorOf(scene.source.getAccessToken()))['code']);
  };

  await scene.source.getAccessToken();

  expect(told).toEqual(['ERR_MISCONFIGURED', 'ERR_MISCONFIGURED'].slice(0, told.length));
  expect(told.length).toBeGreaterThan(0);
});

test('a refresh function may ask another account', async () => {
  const other = await createAgedScene(EXPIRED_MS);
  const scene = await createAgedScene(EXPIRED_MS);
  scene.refresh.next(async () => tokens(2, { access_token: `by-${await other.source.getAccessToken()}` }));

  expect(await scene.source.getAccessToken()).toBe('by-access-2');
});

test('what a refresh function left running may ask the source once the flight is over', async () => {
  const scene = await createAgedScene(EXPIRED_MS);
  const later = Promise.withResolvers<void>();
  let asked: Promise<string> | undefined;
  scene.refresh.next(() => {
    asked = later.promise.then(() => scene.source.getAccessToken());
    return tokens(2);
  });
  await scene.source.getAccessToken();
  await scene.clock.advance(EXPIRED_MS);

  later.resolve();

  expect(await asked).toBe('access-2');
});

test('a due token may be taken from inside its own refresh', async () => {
  const scene = await createAgedScene(DUE_MS);
  const taken: string[] = [];
  scene.refresh.next(async () => {
    taken.push(await scene.source.getAccessToken());
    return tokens(2);
  });

  await scene.source.getAccessToken();
  await scene.source.flush();

  expect(taken).toEqual(['access-1']);
  expect(await scene.source.getAccessToken()).toBe('access-2');
});

test('events are delivered outside: a listener may wait for the source', async () => {
  const clock = createFakeClock();
  const taken: Promise<string>[] = [];
  const source: TokenSource = createTokenSource({
    origins: [API],
    refresh: () => tokens(2),
    tokens: tokens(1),
    clock,
    random: () => 0,
    onEvent: ({ type }) => {
      if (type === 'refresh-started') taken.push(source.getAccessToken());
    },
  });
  await source.getAccessToken();
  await clock.advance(EXPIRED_MS);

  await source.getAccessToken();

  expect(await Promise.all(taken)).toEqual(['access-2']);
});

test.each([
  ['read', undefined],
  ['write', tokens(1)],
] as const)('a store that waits for its own source in the first %s is told at once', async (kind, given) => {
  const place = createPlace();
  const scene = createScene({ store: place.open(), tokens: given });
  const told: unknown[] = [];
  place.before = async (call) => {
    if (call === kind && told.length === 0) told.push((await errorOf(scene.source.getAccessToken()))['code']);
  };

  expect(await scene.source.getAccessToken()).toMatch(/^access-/);
  expect(told).toEqual(['ERR_MISCONFIGURED']);
});
