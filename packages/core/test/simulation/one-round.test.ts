import { expect, test } from '@jest/globals';
import { GRACE_MS } from './authorization-server.ts';
import { explore } from './explorer.ts';
import { playOut } from './outcome.ts';
import type { Scenario } from './round.ts';

// Every schedule of two processes over one store, one lock and one authorization server, through one expiry of the
// access token, with at most one fault in each schedule: what the invariants promise, over the real flight.
const SOAK = process.env['SOAK'] === '1';
const MODES = ['strict', 'grace', 'latest-wins', 'non-rotating'] as const;
const ACCESS = ['due', 'expired', 'refused'] as const;

type Row = Omit<Scenario, 'faults'> & {
  /** Fewer schedules than this mean that the exploration lost its way. */
  readonly atLeast: number;
};

const WARM_AT_LEAST = { due: 200, expired: 300, refused: 600 } as const;
const WARM: Row[] = MODES.flatMap((mode) =>
  ACCESS.map((access) => ({ mode, access, warm: true, atLeast: WARM_AT_LEAST[access] })),
);
const TOLD_HOW_IT_REUSES: Row[] = [
  { mode: 'strict', reuse: 'strict', access: 'due', warm: true, atLeast: 200 },
  { mode: 'grace', reuse: { graceMs: GRACE_MS }, access: 'due', warm: true, atLeast: 200 },
  { mode: 'latest-wins', reuse: { graceMs: GRACE_MS }, access: 'expired', warm: true, atLeast: 300 },
  { mode: 'non-rotating', reuse: 'safe', access: 'expired', warm: true, atLeast: 300 },
];
const DEAF: Row[] = (['strict', 'grace'] as const).map((mode) => ({
  mode,
  access: 'expired',
  warm: true,
  ignoresSignal: true,
  atLeast: 300,
}));
const COLD: Row[] = [
  { mode: 'strict', access: 'due', warm: false, atLeast: 1200 },
  { mode: 'strict', access: 'expired', warm: false, atLeast: 1900 },
];
const LONG: Row[] = MODES.flatMap((mode) => [
  { mode, access: 'expired', warm: false, atLeast: 1200 },
  { mode, access: 'refused', warm: false, atLeast: 3000 },
  { mode, access: 'expired', warm: true, hints: true, atLeast: 10_000 },
  { mode, access: 'due', warm: true, hints: true, atLeast: 10_000 },
]);
const ROWS: Row[] = [...WARM, ...TOLD_HOW_IT_REUSES, ...DEAF, ...COLD, ...(SOAK ? LONG : [])];

const ALL_FAULTS = ['crash', 'fail', 'fail-after', 'outage', 'stall', 'stall-after', 'stop', 'stop-after'];

test.each(ROWS)(
  'keeps its promises in every schedule of $mode $access warm=$warm reuse=$reuse hints=$hints ignoresSignal=$ignoresSignal',
  async ({ atLeast, ...scenario }) => {
    const faults = new Set<string>();
    let lost = 0;
    const schedules = await explore(async (choose) => {
      const { damages, server } = await playOut({ ...scenario, faults: 1 }, choose);
      for (const { name } of damages) faults.add(name);
      if (!server.isAlive()) lost += 1;
    });
    expect(schedules).toBeGreaterThan(atLeast);
    expect([...faults].toSorted()).toEqual(ALL_FAULTS);
    // A strict server cannot but lose some: an oracle that sees none has not looked.
    expect(lost > 0).toBe(scenario.mode === 'strict');
  },
  600_000,
);
