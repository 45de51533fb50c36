import { expect, test } from '@jest/globals';
import type { TokenEvent } from '@unexpired/core';
import { API, authorize, createScene, refuse, type Scene } from './scene.ts';

const ORIGINS = [API, 'https://files.example.com'] as const;

/** Each of the origins in turn refuses the token that is held. */
async function refuseInTurn(source: Scene['source'], times: number): Promise<void> {
  for (let n = 0; n < times; n += 1) {
    const url = `${ORIGINS[n % 2]}/items`;
    await refuse(source, await authorize(source, { url }), { url });
  }
}

function closingsOf(events: readonly TokenEvent[], origin: string): number[] {
  return events.flatMap((event) =>
    event.type === 'gate-closed' && event.origin === origin ? [event.durationMs] : [],
  );
}

test('two origins that refuse every token in turn cost no more exchanges than each would alone', async () => {
  const { source, refresh, events, clock } = createScene({ origins: ORIGINS });

  await refuseInTurn(source, 100);
  expect(refresh.calls).toHaveLength(2);

  for (const closedMs of [5000, 10_000, 20_000]) {
    await clock.advance(closedMs);
    await refuseInTurn(source, 100);
  }
  expect(refresh.calls).toHaveLength(8);
  for (const origin of ORIGINS) expect(closingsOf(events, origin)).toEqual([5000, 10_000, 20_000, 40_000]);
});
