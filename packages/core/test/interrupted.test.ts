import { expect, test } from '@jest/globals';
import type { Reuse } from '@unexpired/core';
import { createPlace } from './place.ts';
import {
  createAgedScene,
  createScene,
  DUE_MS,
  errorOf,
  EXPIRED_MS,
  lostAnswer,
  notSent,
  oauthError,
  settled,
  tokens,
} from './scene.ts';

/** Lets a due token's background refresh end. */
async function refreshInBackground(scene: Awaited<ReturnType<typeof createAgedScene>>): Promise<void> {
  await scene.source.getAccessToken();
  await settled(scene.clock, scene.source.flush());
}

test.each([
  ['safe', 3],
  ['unknown', 2],
  ['strict', 1],
  [{ graceMs: 30_000 }, 3],
] as const)(
  'with reuse %j a lost answer is repeated while the token is usable: %d attempts',
  async (reuse, times) => {
    const scene = await createAgedScene(DUE_MS, { profile: { reuse } });
    scene.refresh.always(lostAnswer);

    await refreshInBackground(scene);

    expect(scene.refresh.calls).toHaveLength(times);
  },
);

test('with a grace period an attempt that timed out is not repeated after it', async () => {
  const scene = await createAgedScene(DUE_MS, {
    profile: { reuse: { graceMs: 5000 } },
    limits: { exchangeMs: 6000 },
  });
  scene.refresh.always(() => new Promise<never>(() => undefined));

  await scene.source.getAccessToken();
  await scene.clock.advance(30_000);

  expect(scene.refresh.calls).toHaveLength(1);
});

test.each(['unknown', 'strict', { graceMs: 1000 }] as const)(
  'with reuse %j a refresh token that may be spent is not presented again while the access token is usable',
  async (reuse: Reuse) => {
    const scene = await createAgedScene(DUE_MS, { profile: { reuse } });
    scene.refresh.always(lostAnswer);
    await refreshInBackground(scene);
    const attempts = scene.refresh.calls.length;

    for (let second = 0; second < 800; second += 20) {
      await scene.clock.advance(20_000);
      await scene.source.getAccessToken();
    }
    expect(scene.refresh.calls).toHaveLength(attempts);

    scene.refresh.always(undefined);
    await scene.clock.advance(60_000);
    expect(await scene.source.getAccessToken()).toBe('access-2');
    expect(scene.refresh.calls).toHaveLength(attempts + 1);
  },
);

test('with reuse safe a lost answer is an ordinary failure: the back-off ends and it is tried again', async () => {
  const scene = await createAgedScene(DUE_MS, { profile: { reuse: 'safe' } });
  scene.refresh.always(lostAnswer);
  await refreshInBackground(scene);
  scene.refresh.always(undefined);

  await scene.clock.advance(60_000);
  await refreshInBackground(scene);

  expect(await scene.source.getAccessToken()).toBe('access-2');
});

test('an attempt that surely sent nothing does not make an earlier lost answer known', async () => {
  const place = createPlace();
  const scene = await createAgedScene(DUE_MS, { profile: { reuse: 'unknown' }, store: place.open() });
  scene.refresh.next(lostAnswer);
  scene.refresh.always(notSent);
  await refreshInBackground(scene);
  expect(scene.refresh.calls).toHaveLength(2);

  await scene.clock.advance(60_000);
  await refreshInBackground(scene);

  expect(scene.refresh.calls).toHaveLength(2);
  expect(place.record?.claim).toBeDefined();
});

test('once the token is expired, lost answers are repeated like other failures', async () => {
  const scene = await createAgedScene(EXPIRED_MS, { profile: { reuse: 'strict' } });
  scene.refresh.next(lostAnswer, lostAnswer);

  expect(await settled(scene.clock, scene.source.getAccessToken())).toBe('access-2');
  expect(scene.refresh.calls).toHaveLength(3);
});

test('a refusal after a lost answer says that the refresh was interrupted', async () => {
  const scene = await createAgedScene(EXPIRED_MS);
  scene.refresh.next(lostAnswer, oauthError('invalid_grant'));

  const error = await settled(scene.clock, errorOf(scene.source.getAccessToken()));

  expect(error).toMatchObject({ code: 'ERR_REAUTHENTICATION_REQUIRED' });
  expect(error.message).toContain('interrupted');
});

/** A process died between its claim and its commit: what it leaves behind. */
async function leaveClaim(atMsAgo: number): Promise<ReturnType<typeof createPlace>> {
  const place = createPlace();
  const { source, clock } = createScene({ store: place.open() });
  await source.getAccessToken();
  const record = place.record!;
  place.records.set('default', {
    ...record,
    revision: record.revision + 1,
    claim: { at: clock.now() + DUE_MS - atMsAgo },
  });
  return place;
}

test.each([
  ['safe', 60_000, true],
  ['unknown', 500, true],
  ['unknown', 1500, false],
  ['strict', 1, false],
  [{ graceMs: 30_000 }, 29_000, true],
  [{ graceMs: 30_000 }, 31_000, false],
] as const)(
  'with reuse %j the refresh token of a claim that is %d ms old is presented while the token is usable: %p',
  async (reuse, ageMs, presented) => {
    const place = await leaveClaim(ageMs);
    const scene = createScene({ store: place.open(), profile: { reuse }, tokens: undefined });
    await scene.clock.advance(DUE_MS);

    await refreshInBackground(scene);

    expect(scene.refresh.calls).toHaveLength(presented ? 1 : 0);
    expect(scene.source.status().health).toBe(presented ? 'ok' : 'backing-off');
    expect(await scene.source.getAccessToken()).toBe(presented ? 'access-2' : 'access-1');
  },
);

test('the refresh token of an interrupted claim is presented once the access token is expired', async () => {
  const place = await leaveClaim(1);
  const scene = createScene({ store: place.open(), profile: { reuse: 'strict' }, tokens: undefined });
  await scene.clock.advance(EXPIRED_MS);
  scene.refresh.always(oauthError('invalid_grant'));

  const failing = errorOf(scene.source.getAccessToken());
  // A peer gets a second to store what it may have got.
  await scene.clock.advance(1000);
  const error = await settled(scene.clock, failing);

  expect(scene.refresh.calls).toHaveLength(1);
  expect(error).toMatchObject({ code: 'ERR_REAUTHENTICATION_REQUIRED' });
  expect(error.message).toContain('interrupted');
  expect(place.record?.tokens).toMatchObject({ refresh_token: 'refresh-1' });
});

test('a claim is dated by the clock of the store', async () => {
  const place = createPlace();
  const { source, clock } = createScene({
    store: place.open({ clock: { now: () => 12_345 } }),
    tokens: tokens(1, { expires_in: 0 }),
  });

  await settled(clock, source.getAccessToken());

  expect(place.written.filter(({ claim }) => claim !== undefined).map(({ claim }) => claim?.at)).toEqual([
    12_345,
  ]);
});

test.each([
  ['an assumed lifetime', EXPIRED_MS, { assumedLifetimeMs: 3_600_000 }, { expires_in: undefined }],
  ['a long leeway', 3_000_001, { leewayMs: 600_000 }, {}],
])(
  'a refresh token that may be spent is presented again after %s ended',
  async (_, ageMs, timing, members) => {
    const scene = await createAgedScene(ageMs, { timing, tokens: tokens(1, members) });
    scene.refresh.always(lostAnswer);
    const error = await settled(scene.clock, errorOf(scene.source.getAccessToken()));
    expect(error).toMatchObject({ code: 'ERR_REFRESH_FAILED' });
    expect(scene.refresh.calls).toHaveLength(3);

    scene.refresh.always(undefined);
    await scene.clock.advance(1);

    expect(await settled(scene.clock, scene.source.getAccessToken())).toBe('access-2');
  },
);

test('a refresh that is held back is told of', async () => {
  const place = await leaveClaim(1500);
  const scene = createScene({ store: place.open(), profile: { reuse: 'strict' }, tokens: undefined });
  await scene.clock.advance(DUE_MS);

  await refreshInBackground(scene);

  expect(scene.events.at(-1)).toMatchObject({ type: 'refresh-failed', code: 'ERR_REFRESH_FAILED' });
  expect(scene.refresh.calls).toHaveLength(0);
});
