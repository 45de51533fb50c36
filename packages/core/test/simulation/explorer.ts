import type { Choose } from './world.ts';

/**
 * Runs `schedule` once for every sequence of choices it can be given, depth first: each run repeats the choices of a
 * prefix and then takes the first one everywhere. Returns how many schedules there were.
 */
export async function explore(schedule: (choose: Choose) => Promise<void>): Promise<number> {
  const path: { taken: number; of: number }[] = [];
  for (let schedules = 1; ; schedules += 1) {
    let depth = 0;
    await schedule({
      pick(of) {
        const choice = (path[depth] ??= { taken: 0, of });
        depth += 1;
        if (choice.of === of) return choice.taken;
        throw new Error('the same choices led elsewhere: something here is not deterministic');
      },
      allowsFault: () => true,
    });
    path.length = depth;
    while (path.length > 0 && path.at(-1)!.taken === path.at(-1)!.of - 1) path.pop();
    if (path.length === 0) return schedules;
    path.at(-1)!.taken += 1;
    // The event loop is not kept from what else it has to do.
    if (schedules % 256 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** One move in so many is a fault, while there may be any: they come early and late. */
const FAULT_RATE = 12;

/** mulberry32: the same seed makes the same choices. */
export function seededChoose(seed: number): Choose {
  let state = seed | 0;
  function pick(count: number): number {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % count;
  }
  return { pick, allowsFault: () => pick(FAULT_RATE) === 0 };
}
