import { expect, test } from '@jest/globals';
import type { TokenEvent } from '@unexpired/core';
import { createPlace } from './place.ts';
import {
  answer,
  API,
  authorize,
  COOL_DOWN_MS,
  createAgedScene,
  createScene,
  errorOf,
  EXPIRED_MS,
  notSent,
  oauthError,
  refuse,
  settled,
  tokens,
  typesOf,
  type Scene,
} from './scene.ts';

/** The events of what happens from here on. */
async function eventsOf(scene: Scene, act: () => Promise<unknown>): Promise<TokenEvent[]> {
  const before = scene.events.length;
  await act();
  return scene.events.slice(before);
}

const base = (scene: Scene, generation: number) => ({
  at: scene.clock.now(),
  account: 'default',
  generation,
  fingerprint: expect.stringMatching(/^[0-9a-f]{12}$/),
});

test('a refresh tells of its start, its durable write and its end', async () => {
  const scene = await createAgedScene(EXPIRED_MS);

  const events = await eventsOf(scene, () => scene.source.getAccessToken());

  expect(events).toEqual([
    { type: 'refresh-started', ...base(scene, 1), forced: false },
    { type: 'persisted', ...base(scene, 2) },
    { type: 'refreshed', ...base(scene, 2), forced: false },
  ]);
  expect(events[0]?.fingerprint).not.toBe(events[1]?.fingerprint);
});

test('a forced refresh says so, and a replay tells its origin', async () => {
  const scene = await createAgedScene(0);

  const events = await eventsOf(scene, async () => refuse(scene.source, await authorize(scene.source)));

  expect(events).toEqual([
    { type: 'refresh-started', ...base(scene, 1), forced: true },
    { type: 'persisted', ...base(scene, 2) },
    { type: 'refreshed', ...base(scene, 2), forced: true },
    { type: 'replayed', ...base(scene, 2), origin: API },
  ]);
});

test.each([
  ['an outage', answer('', 429, { 'Retry-After': '60' }), 'ERR_REFRESH_FAILED', []],
  ['a plain refusal', answer('', 401), 'ERR_REFRESH_REJECTED', ['rejected']],
  [
    'a refused grant',
    oauthError('invalid_grant'),
    'ERR_REAUTHENTICATION_REQUIRED',
    ['reauthentication-required'],
  ],
  ['a closed account', oauthError('account_deleted'), 'ERR_ACCOUNT_DISABLED', ['account-disabled']],
  ['a wrong client', oauthError('invalid_client'), 'ERR_MISCONFIGURED', []],
] as const)('%s tells that the refresh failed, and what that means', async (_, step, code, more) => {
  const scene = await createAgedScene(EXPIRED_MS);
  scene.refresh.next(step);

  const events = await eventsOf(scene, () => errorOf(scene.source.getAccessToken()));

  expect(typesOf(events)).toEqual(['refresh-started', 'refresh-failed', ...more]);
  expect(events[1]).toMatchObject({ ...base(scene, 1), code });
});

test('what is remembered of a failure is told of once, however many ask', async () => {
  const scene = await createAgedScene(EXPIRED_MS);
  scene.refresh.next(oauthError('account_deleted'));
  await errorOf(scene.source.getAccessToken());

  const events = await eventsOf(scene, () =>
    Promise.all(Array.from({ length: 100 }, () => errorOf(scene.source.getAccessToken()))),
  );

  expect(events).toEqual([]);
});

test('a throttled refresh tells when it is tried again', async () => {
  const scene = await createAgedScene(EXPIRED_MS);
  scene.refresh.next(answer('', 429, { 'Retry-After': '60' }));

  const events = await eventsOf(scene, () => errorOf(scene.source.getAccessToken()));

  expect(events.at(-1)).toMatchObject({ type: 'refresh-failed', retryAfterMs: 60_000 });
});

test('a sign-in and a sign-out are told of', async () => {
  const scene = await createAgedScene(0);

  const events = await eventsOf(scene, async () => {
    await scene.source.signIn(tokens(5));
    await scene.source.signOut();
  });

  expect(events).toEqual([
    { type: 'signed-in', ...base(scene, 1) },
    { type: 'persisted', ...base(scene, 1) },
    { type: 'signed-out', ...base(scene, 0), fingerprint: undefined, reason: 'requested' },
    { type: 'persisted', ...base(scene, 0), fingerprint: undefined },
  ]);
});

test('tokens of another process are told of as adopted', async () => {
  const place = createPlace();
  const one = await createAgedScene(0, { store: place.open() });
  const two = await createAgedScene(EXPIRED_MS, { store: place.open(), tokens: undefined, clock: one.clock });
  await one.source.getAccessToken();

  const events = await eventsOf(two, async () => one.clock.advance(1000));

  expect(events).toMatchObject([{ type: 'adopted', account: 'default', generation: 2 }]);
});

test('origin gates tell of their closing with its time, and of their opening', async () => {
  const scene = await createAgedScene(0);

  const events = await eventsOf(scene, async () => {
    const first = await refuse(scene.source, await authorize(scene.source));
    scene.source.settled(first!, 401);
    await scene.clock.advance(5000);
    const second = await refuse(scene.source, await authorize(scene.source));
    scene.source.settled(second!, 200);
  });

  const gates = events.filter(({ type }) => type.startsWith('gate-'));
  expect(gates).toMatchObject([
    { type: 'gate-closed', origin: API, durationMs: 5000, generation: 2 },
    { type: 'gate-opened', origin: API, generation: 3 },
  ]);
  expect(events.find(({ type }) => type === 'not-replayed')).toMatchObject({ reason: 'refused-again' });
});

test('the same access token again closes the gate of its origin at once', async () => {
  const scene = await createAgedScene(0);
  scene.refresh.next(() => tokens(2, { access_token: 'access-1' }));

  const events = await eventsOf(scene, async () => refuse(scene.source, await authorize(scene.source)));

  expect(typesOf(events).slice(-2)).toEqual(['gate-closed', 'not-replayed']);
});

test('events are frozen, and in the account’s name', async () => {
  const scene = createScene({ account: 'ann@example.com' });

  await scene.source.signIn(tokens(1));

  expect(scene.events.length).toBeGreaterThan(0);
  for (const event of scene.events) {
    expect(Object.isFrozen(event)).toBe(true);
    expect(event.account).toBe('ann@example.com');
  }
});

test('a subscriber is called until it ends its subscription', async () => {
  const { source } = await createAgedScene(0);
  const told: string[] = [];
  const listener = ({ type }: TokenEvent): void => void told.push(type);
  const stop = source.subscribe(listener);
  const stopAgain = source.subscribe(listener);

  await source.signIn(tokens(2));
  expect(told.filter((type) => type === 'signed-in')).toHaveLength(2);
  stop();
  stop();
  await source.signIn(tokens(3));
  expect(told.filter((type) => type === 'signed-in')).toHaveLength(3);
  stopAgain();
  await source.signIn(tokens(4));

  expect(told.filter((type) => type === 'signed-in')).toHaveLength(3);
});

test('a listener that throws breaks nothing and hides nothing from the others', async () => {
  const { source } = await createAgedScene(EXPIRED_MS, {
    onEvent: () => {
      throw new Error('listener');
    },
  });
  const told: string[] = [];
  source.subscribe(({ type }) => void told.push(type));

  expect(await source.getAccessToken()).toBe('access-2');
  expect(told).toContain('refreshed');
});

test('only a function can subscribe', () => {
  const { source } = createScene();

  expect(() => source.subscribe('log' as never)).toThrow(/`listener` must be a function/);
});

test('of origins that are not listed, the last 256 are remembered', async () => {
  const scene = await createAgedScene(0);
  const ask = (host: number): unknown =>
    scene.source.authorize({ url: `https://host-${host}.example`, method: 'GET' });

  const events = await eventsOf(scene, async () => {
    for (let round = 0; round < 2; round += 1) for (let host = 0; host < 256; host += 1) ask(host);
    ask(256);
    ask(0);
  });

  expect(events).toHaveLength(258);
});

test('who waits for a flight that fails is told when it is tried again, as the events tell', async () => {
  const { source, refresh, clock, events } = await createAgedScene(EXPIRED_MS, { random: () => 0.5 });
  refresh.next(notSent, notSent, notSent, answer('', 400));
  const failing = errorOf(source.getAccessToken());
  await clock.advance(1000);
  const rejected = await settled(clock, errorOf(source.getAccessToken()));

  expect(await failing).toMatchObject({ code: 'ERR_REFRESH_FAILED', retryAfterMs: 250 });
  expect(rejected).toMatchObject({ code: 'ERR_REFRESH_REJECTED', retryAfterMs: COOL_DOWN_MS });
  expect(events.filter((event) => 'retryAfterMs' in event)).toMatchObject([
    { type: 'refresh-failed', retryAfterMs: 250 },
    { type: 'refresh-failed', retryAfterMs: COOL_DOWN_MS },
    { type: 'rejected', retryAfterMs: COOL_DOWN_MS },
  ]);
});
