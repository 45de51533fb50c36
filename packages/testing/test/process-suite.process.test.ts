import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { runProcessSuite, type ProcessSuiteOptions, type RacePlace } from '@unexpired/testing';
import type { Flaw } from './shared-file.ts';

async function createPlace(flaw?: Flaw): Promise<RacePlace> {
  const folder = await mkdtemp(join(tmpdir(), 'process-suite-'));
  return {
    store: {
      module: new URL('./shared-file.ts', import.meta.url),
      options: { path: join(folder, 'shared.json'), flaw },
    },
    close: () => rm(folder, { recursive: true }),
  };
}

const few = { lock: 'system', processes: 3, generations: 4, rounds: 8 } as const;

runProcessSuite({ test, createPlace: () => createPlace(), ...few });

/** The cases of the suite, not run yet. */
function casesOf(options: Partial<ProcessSuiteOptions>): Map<string, () => Promise<void>> {
  const cases = new Map<string, () => Promise<void>>();
  const register = Object.assign((name: string, run: () => Promise<void>) => cases.set(name, run), {
    skip: () => undefined,
  });
  runProcessSuite({ test: register, createPlace: () => createPlace(), ...few, ...options });
  return cases;
}

test.each<[Flaw, string]>([
  ['no-lock', 'processes whose access tokens are refused all the time present each refresh token once'],
  ['no-lock', 'while the holder is stopped for longer than any limit nobody else spends the refresh token'],
  [
    'no-compare',
    'a sign-in in another process during an exchange stays, and what the exchange brought is revoked',
  ],
  ['no-compare', 'a sign-out in another process during an exchange stays'],
  [
    'forgets-commits',
    'processes come and go during a race, and exit by themselves once their source is closed',
  ],
  ['forgets-commits', 'what a process got is stored though it exits the moment the access token is there'],
  [
    'stuck',
    'when the holder is killed the next process goes on; only tokens that were not stored yet can be lost',
  ],
  ['torn', 'a kill at a random moment signs nobody out where the server tolerates a repeat'],
])('a store that is sound but for %p fails: %s', async (flaw, name) => {
  const run = casesOf({ createPlace: () => createPlace(flaw), rounds: 200 }).get(name)!;

  await expect(run()).rejects.toThrow(/^(?!The case did not end)/);
});

test('a case that the store cannot have is skipped with its reason', () => {
  const name = 'a sign-out in another process during an exchange stays';
  const all = casesOf({});

  expect(casesOf({ skips: { [name]: 'it has no sign-out' } }).size).toBe(all.size - 1);
  expect(() => casesOf({ skips: { 'no such case': 'why' } })).toThrow(
    new TypeError("`skips` names a case that there is not: 'no such case'"),
  );
});

test('cases of the other kind of lock are left out', () => {
  const system = [...casesOf({}).keys()];
  const lease = [...casesOf({ lock: 'lease' }).keys()];

  expect(system.filter((name) => !lease.includes(name))).toEqual([
    'while the holder is stopped for longer than any limit nobody else spends the refresh token',
  ]);
  expect(lease.filter((name) => !system.includes(name))).toEqual([
    'a holder that was stopped for longer than its lease never overwrites a newer generation',
  ]);
});
