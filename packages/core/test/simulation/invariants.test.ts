import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Mode } from './authorization-server.ts';
import { actions, play, setStage } from './history.ts';

const SOAK = process.env['SOAK'] === '1';
const seed = process.env['SEED'] ? Number(process.env['SEED']) : SOAK ? Date.now() | 0 : 20_260_101;
const RUNS = SOAK ? 20_000 : 1000;
const modes = fc.constantFrom<Mode>('strict', 'grace', 'latest-wins', 'non-rotating');

/** All that must have happened in the course of so many histories. */
const EVENTS = [
  'gate-closed',
  'gate-opened',
  'not-replayed',
  'persist-failed',
  'persisted',
  'reauthentication-required',
  'refresh-failed',
  'refresh-started',
  'refreshed',
  'replayed',
  'signed-in',
  'signed-out',
];

test('one process keeps the invariants through any history', async () => {
  const happened = new Set<string>();
  const schedules = fc.noShrink(fc.integer());
  const property = fc.asyncProperty(modes, schedules, actions, async (mode, schedule, history) => {
    const stage = await setStage(mode, schedule);
    try {
      await play(stage, history);
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${stage.world.trace.join(', ')}`, { cause: error });
    }
    for (const { type } of stage.only.events) happened.add(type);
  });
  await fc.assert(property, { numRuns: RUNS, seed });
  expect([...happened].toSorted()).toEqual(EVENTS);
}, 3_600_000);
