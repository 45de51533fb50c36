import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const run = promisify(execFile);
const SOAK = process.env['SOAK'] === '1';
const ACCOUNTS = SOAK ? 100_000 : 2000;
const ROUNDS = 3;

interface Told {
  readonly exchanges: number;
  readonly most: number;
  readonly timers: number;
  /** After each round, without garbage. */
  readonly heaps: readonly number[];
  readonly closed: number;
}

test('many accounts that are refreshed again and again keep no timer and no more memory than after the first time', async () => {
  const program = fileURLToPath(new URL('processes/many-accounts.ts', import.meta.url));
  const flags = ['--conditions=@unexpired/source', '--expose-gc'];
  const { stdout } = await run(process.execPath, [...flags, program, `${ACCOUNTS}`, `${ROUNDS}`]);
  const { exchanges, most, timers, heaps, closed } = JSON.parse(stdout) as Told;

  expect({ exchanges, most, timers }).toEqual({ exchanges: ACCOUNTS * (ROUNDS + 1), most: 8, timers: 0 });
  expect(heaps.at(-1)).toBeLessThan(heaps[0]! * 1.03);
  expect(closed).toBeLessThan(heaps[0]! * 0.8);
});
