import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Reuse } from '../../src/index.ts';
import { GRACE_MS, type Mode } from './authorization-server.ts';
import { seededChoose } from './explorer.ts';
import { playOut } from './outcome.ts';
import type { Scenario } from './round.ts';

// Three processes, schedules at random. A failure tells fast-check's seed: run again with SEED set to it.
const SOAK = process.env['SOAK'] === '1';
const SCHEDULES = SOAK ? 20_000 : 2000;
const seed = process.env['SEED'] ? Number(process.env['SEED']) : SOAK ? Date.now() | 0 : 20_260_101;

/** What may truthfully be said of a server. */
const REUSES: Readonly<Record<Mode, readonly (Reuse | undefined)[]>> = {
  strict: [undefined, 'unknown', 'strict'],
  grace: [undefined, 'unknown', { graceMs: GRACE_MS }],
  'latest-wins': [undefined, { graceMs: GRACE_MS }],
  'non-rotating': [undefined, 'safe', 'unknown'],
};

const scenarios: fc.Arbitrary<Scenario> = fc
  .constantFrom<Mode>('strict', 'grace', 'latest-wins', 'non-rotating')
  .chain((mode) =>
    fc.record({
      mode: fc.constant(mode),
      reuse: fc.constantFrom(...REUSES[mode]),
      access: fc.constantFrom('due', 'expired', 'refused'),
      warm: fc.boolean(),
      hints: fc.boolean(),
      ignoresSignal: fc.boolean(),
      faults: fc.nat({ max: SOAK ? 2 : 1 }),
      rounds: fc.integer({ min: 1, max: SOAK ? 3 : 1 }),
      names: fc.constant(['A', 'B', 'C']),
    }),
  );

test(`keeps its promises in ${SCHEDULES} random schedules of three processes`, async () => {
  const outcomes = { played: 0, damaged: 0, lost: 0 };
  const schedules = fc.noShrink(fc.integer());
  const property = fc.asyncProperty(scenarios, schedules, async (scenario, schedule) => {
    const { damages, server } = await playOut(scenario, seededChoose(schedule));
    outcomes.played += 1;
    if (damages.length > 0) outcomes.damaged += 1;
    if (!server.isAlive()) outcomes.lost += 1;
  });
  await fc.assert(property, { numRuns: SCHEDULES, seed, verbose: fc.VerbosityLevel.None });
  expect(outcomes.played).toBe(SCHEDULES);
  expect(outcomes.damaged).toBeGreaterThan(SCHEDULES / 4);
  expect(outcomes.lost).toBeGreaterThan(0);
}, 3_600_000);
