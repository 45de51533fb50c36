import { expect, test } from '@jest/globals';
import {
  answer,
  createAgedScene,
  DUE_MS,
  errorOf,
  EXPIRED_MS,
  headerFrom,
  notSent,
  oauthError,
  settled,
  stateOf,
  tokens,
  type Scene,
} from './scene.ts';
import { createPlace } from './place.ts';

const throttled = (retryAfter: string) => answer('', 429, { 'Retry-After': retryAfter });

/** An expired token whose refresh was just throttled for so many seconds. */
async function createThrottledScene(seconds: number): Promise<Scene> {
  const scene = await createAgedScene(EXPIRED_MS);
  scene.refresh.next(throttled(String(seconds)));
  await errorOf(scene.source.getAccessToken());
  return scene;
}

test.each([
  ['seconds', () => '120'],
  ['an HTTP date', (now: number) => new Date(Math.ceil(now / 1000) * 1000 + 120_000).toUTCString()],
])(
  'a long Retry-After as %s fails every caller at once, with the time that is left',
  async (_, retryAfter) => {
    const scene = await createAgedScene(EXPIRED_MS);
    scene.refresh.next(throttled(retryAfter(scene.clock.now())));

    const first = await errorOf(scene.source.getAccessToken());
    await scene.clock.advance(20_000);
    const second = await errorOf(scene.source.getAccessToken());

    expect(first).toMatchObject({ code: 'ERR_REFRESH_FAILED', permanent: false });
    expect(second['code']).toBe('ERR_REFRESH_FAILED');
    expect(second['retryAfterMs']).toBeGreaterThanOrEqual(99_000);
    expect(second['retryAfterMs']).toBeLessThanOrEqual(101_000);
    expect(scene.refresh.calls).toHaveLength(1);
    expect(scene.source.status()).toMatchObject({ health: 'backing-off' });
    expect(scene.source.status().retryAt).toBe(scene.clock.now() + (second['retryAfterMs'] as number));

    await scene.clock.advance(101_000);
    expect(await scene.source.getAccessToken()).toBe('access-2');
    expect(scene.source.status()).toMatchObject({ health: 'ok', retryAt: undefined, lastError: undefined });
  },
);

test.each([
  ['99999999', 3_600_000],
  ['Mon, 01 Jan 2125 00:00:00 GMT', 3_600_000],
])('an absurd Retry-After (%s) counts as an hour', async (value, ms) => {
  const scene = await createAgedScene(EXPIRED_MS);
  scene.refresh.next(throttled(value));

  await errorOf(scene.source.getAccessToken());

  expect(scene.source.status().retryAt).toBe(scene.clock.now() + ms);
});

test('1,000 callers during the back-off cause no exchange', async () => {
  const scene = await createThrottledScene(600);

  const failing = Array.from({ length: 1000 }, () => errorOf(scene.source.getAccessToken()));
  const errors = await Promise.all(failing);

  expect(new Set(errors).size).toBe(1000);
  expect(scene.refresh.calls).toHaveLength(1);
});

test('callers whose back-off ends within 5 s wait for the one shared attempt', async () => {
  const scene = await createThrottledScene(10);
  await scene.clock.advance(5000);

  const taking = Promise.all(Array.from({ length: 100 }, () => scene.source.getAccessToken()));
  expect(await stateOf(taking)).toBe('pending');
  await scene.clock.advance(4990);
  expect(scene.refresh.calls).toHaveLength(1);
  await scene.clock.advance(20);

  expect(new Set(await taking)).toEqual(new Set(['access-2']));
  expect(scene.refresh.calls).toHaveLength(2);
});

test('a caller whose back-off ends later than 5 s fails at once', async () => {
  const scene = await createThrottledScene(10);
  await scene.clock.advance(4900);

  const error = await errorOf(scene.source.getAccessToken());

  expect(error['retryAfterMs']).toBe(5100);
});

test('a caller whose own limit is shorter than the back-off fails at once', async () => {
  const scene = await createAgedScene(EXPIRED_MS, { limits: { waitMs: 1000 } });
  scene.refresh.next(throttled('10'));
  await errorOf(scene.source.getAccessToken());
  await scene.clock.advance(7000);

  expect(await errorOf(scene.source.getAccessToken())).toMatchObject({
    code: 'ERR_REFRESH_FAILED',
    retryAfterMs: 3000,
  });
});

test('the back-off doubles from half a second to a minute', async () => {
  let draw = 0;
  const scene = await createAgedScene(EXPIRED_MS, { random: () => draw });
  scene.refresh.always(notSent);
  const waits: number[] = [];

  for (let flight = 0; flight < 9; flight += 1) {
    // Nothing waits between the attempts, and the gate is drawn at the last of them.
    draw = 0;
    scene.refresh.next(notSent, notSent, () => {
      draw = 0.5;
      return notSent();
    });
    await settled(scene.clock, errorOf(scene.source.getAccessToken()));
    const waitMs = scene.source.status().retryAt! - scene.clock.now();
    waits.push(waitMs);
    await scene.clock.advance(waitMs);
  }

  expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
});

test('during a back-off a token that is still usable is served and nothing is started', async () => {
  const scene = await createAgedScene(DUE_MS);
  scene.refresh.next(throttled('300'));
  await scene.source.getAccessToken();
  await settled(scene.clock, scene.source.flush());

  for (let second = 0; second < 290; second += 10) {
    expect(await scene.source.getAccessToken({ minTtlMs: 3_000_000 })).toBe('access-1');
    await scene.clock.advance(10_000);
  }
  expect(scene.refresh.calls).toHaveLength(1);
});

test('a failed background refresh shows in status and events, and in no caller', async () => {
  const scene = await createAgedScene(DUE_MS);
  scene.refresh.next(throttled('300'));

  await scene.source.getAccessToken();
  await settled(scene.clock, scene.source.flush());

  expect(scene.source.status()).toMatchObject({ accessToken: 'due', health: 'backing-off' });
  expect(scene.source.status().lastError).toMatchObject({ code: 'ERR_REFRESH_FAILED' });
  expect(scene.events.at(-1)).toMatchObject({ type: 'refresh-failed', code: 'ERR_REFRESH_FAILED' });
});

test('another stored refresh token lifts the back-off', async () => {
  const place = createPlace();
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open() });
  scene.refresh.next(throttled('600'));
  await errorOf(scene.source.getAccessToken());
  const record = place.record!;
  place.records.set('default', {
    ...record,
    revision: record.revision + 1,
    generation: record.generation + 1,
    tokens: { access_token: 'access-7', refresh_token: 'refresh-7' },
    issuedAt: scene.clock.now(),
  });
  await scene.clock.advance(1000);

  expect(await scene.source.getAccessToken()).toBe('access-7');
  expect(scene.source.status().health).toBe('ok');
});

test('a sign-in lifts the back-off', async () => {
  const scene = await createThrottledScene(600);

  await scene.source.signIn(tokens(5));

  expect(await scene.source.getAccessToken()).toBe('access-5');
  expect(await headerFrom(scene.source)).toBe('Bearer access-5');
  expect(scene.source.status()).toMatchObject({ health: 'ok', lastError: undefined });
});

const puzzles = [
  ['403', answer('{"message":"Forbidden"}', 403)],
  ['a page of HTML', answer('<html>blocked</html>', 404)],
  ['400 with a page of HTML', answer('<html>blocked</html>', 400)],
] as const;

test.each(puzzles)(
  'three flights in a row that end with %s are a rejection that cools down',
  async (_, step) => {
    const scene = await createAgedScene(EXPIRED_MS);
    scene.refresh.always(step);

    for (let flight = 1; flight <= 2; flight += 1) {
      const error = await settled(scene.clock, errorOf(scene.source.getAccessToken()));
      expect(error['code']).toBe('ERR_REFRESH_FAILED');
      await scene.clock.advance(60_000);
    }
    const third = await settled(scene.clock, errorOf(scene.source.getAccessToken()));
    expect(third).toMatchObject({ code: 'ERR_REFRESH_REJECTED', permanent: false });
    expect(scene.source.status().health).toBe('rejected');
    const calls = scene.refresh.calls.length;
    await scene.clock.advance(4 * 60_000);
    await errorOf(scene.source.getAccessToken());
    expect(scene.refresh.calls).toHaveLength(calls);

    scene.refresh.always(undefined);
    await scene.clock.advance(60_001);
    expect(await scene.source.getAccessToken()).toMatch(/^access-/);
  },
);

test('a success between puzzling flights starts their count anew', async () => {
  const scene = await createAgedScene(EXPIRED_MS);
  const fail = async (): Promise<unknown> => {
    scene.refresh.always(answer('<html>', 403));
    const error = await settled(scene.clock, errorOf(scene.source.getAccessToken()));
    await scene.clock.advance(60_000);
    return error['code'];
  };
  expect([await fail(), await fail()]).toEqual(['ERR_REFRESH_FAILED', 'ERR_REFRESH_FAILED']);
  scene.refresh.always(undefined);
  await scene.source.getAccessToken();
  await scene.clock.advance(EXPIRED_MS);

  expect([await fail(), await fail()]).toEqual(['ERR_REFRESH_FAILED', 'ERR_REFRESH_FAILED']);
});

test('an unusable answer of a refresh function is not repeated within the flight and names what it holds', async () => {
  const scene = await createAgedScene(EXPIRED_MS);
  scene.refresh.always(() => ({ accessToken: 'access-2', expiresIn: 3600 }));

  const error = await settled(scene.clock, errorOf(scene.source.getAccessToken()));

  expect(error['code']).toBe('ERR_REFRESH_FAILED');
  expect(error.message).toContain('accessToken, expiresIn');
  expect(error.message).not.toContain('access-2');
  expect(scene.refresh.calls).toHaveLength(1);
});

test('an outage of a minute ends by itself, with few exchanges', async () => {
  const scene = await createAgedScene(EXPIRED_MS, { random: () => 0.5 });
  scene.refresh.always(oauthError('server_error', 503));
  const taken: unknown[] = [];
  for (let second = 0; second < 60; second += 1) {
    void scene.source.getAccessToken().then(
      (token) => taken.push(token),
      () => undefined,
    );
    await scene.clock.advance(1000);
  }
  const attempts = scene.refresh.calls.length;
  scene.refresh.always(undefined);

  for (let second = 0; second < 70 && taken.length === 0; second += 1) {
    void scene.source.getAccessToken().then(
      (token) => taken.push(token),
      () => undefined,
    );
    await scene.clock.advance(1000);
  }

  expect(attempts).toBeLessThan(30);
  expect(taken.length).toBeGreaterThan(0);
});

test('a Retry-After that ends within the time of the flight is waited for, although it would not fit in twice', async () => {
  const scene = await createAgedScene(EXPIRED_MS, { limits: { flightMs: 8000 } });
  scene.refresh.next(throttled('5'));

  const taking = scene.source.getAccessToken();
  await scene.clock.advance(5000);

  expect(await stateOf(taking)).toBe('fulfilled');
  expect(scene.refresh.calls).toHaveLength(2);
});
