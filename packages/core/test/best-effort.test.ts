import { expect, test } from '@jest/globals';
import { createPlace } from './place.ts';
import { answer, createScene, errorOf, settled } from './scene.ts';

type SceneOptions = NonNullable<Parameters<typeof createScene>[0]>;

/** Best effort over a store that has nothing and takes nothing. */
function overNothing(): SceneOptions {
  const place = createPlace();
  place.before = (call) => {
    if (call === 'write') throw new Error('read-only');
  };
  return { persistence: 'best-effort', store: place.open() };
}

/** How often an endpoint that is down is asked in five minutes in which a token is wanted every second. */
async function callsOfAnOutage(options: SceneOptions): Promise<number> {
  const { source, refresh, clock } = createScene({ tokens: undefined, random: () => 0.9, ...options });
  refresh.always(answer('', 503));
  for (let second = 0; second < 300; second += 1) {
    void source.getAccessToken().catch(() => undefined);
    await clock.advance(1000);
  }
  return refresh.calls.length;
}

test('without anything stored, an outage is asked about as rarely as over a store that can be written', async () => {
  const calls = await callsOfAnOutage({});

  expect(calls).toBeLessThanOrEqual(45);
  expect(await callsOfAnOutage(overNothing())).toBe(calls);
});

test('without anything stored, three flights in a row that a firewall answers are a rejection', async () => {
  const { source, refresh, clock } = createScene({ tokens: undefined, ...overNothing() });
  refresh.always(answer('<p>Forbidden</p>', 403));

  const codes: unknown[] = [];
  for (let n = 0; n < 3; n += 1) {
    codes.push((await settled(clock, errorOf(source.getAccessToken())))['code']);
    await clock.advance(10);
  }

  expect(codes).toEqual(['ERR_REFRESH_FAILED', 'ERR_REFRESH_FAILED', 'ERR_REFRESH_REJECTED']);
});
