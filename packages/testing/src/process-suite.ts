import type { Checks } from '@unexpired/core';
import { checkGiven, FUNCTION, NUMBER, OBJECT, TEST } from './checks.ts';
import { runProcessCase, type Counts, type LockKind, type RacePlace } from './process-suite-case.ts';
import type { ProcessCase } from './process-suite-case.ts';
import { kills } from './process-suite-kills.ts';
import { races } from './process-suite-races.ts';
import { sessions } from './process-suite-sessions.ts';
import { stops } from './process-suite-stops.ts';

/** What registers a case: the `test` of Jest, Vitest, or node:test, the latter without the limit, which it ignores. */
export interface ProcessSuiteTest {
  (name: string, run: () => Promise<void>, limitMs: number): unknown;
  readonly skip: (name: string, run: () => Promise<void>) => unknown;
}

export interface ProcessSuiteOptions {
  readonly test: ProcessSuiteTest;
  /** A place of its own for each case. */
  readonly createPlace: () => RacePlace | Promise<RacePlace>;
  readonly lock: LockKind;
  /** How many processes race. @default 8, or 20 where SOAK=1 is in the environment */
  readonly processes?: number | undefined;
  /** How many generations of access tokens they see. @default 20, or 100 where SOAK=1 is in the environment */
  readonly generations?: number | undefined;
  /**
   * How many processes are killed at random moments with a strict server; with one that tolerates a repeat a quarter of
   * it, or all where SOAK=1 is in the environment.
   * @default 100, or 1000 where SOAK=1 is in the environment
   */
  readonly rounds?: number | undefined;
  /** Cases that this store cannot have, by name, with the reason. @default none */
  readonly skips?: Readonly<Record<string, string>> | undefined;
}

const cases: readonly ProcessCase[] = [...races, ...sessions, ...stops, ...kills];

const CHECKS: Checks = {
  test: TEST,
  createPlace: FUNCTION,
  lock: ["'system' or 'lease'", (value) => value === 'system' || value === 'lease'],
  processes: NUMBER,
  generations: NUMBER,
  rounds: NUMBER,
  skips: OBJECT,
};

function countsOf({ processes, generations, rounds }: ProcessSuiteOptions): Counts {
  const soaks = process.env['SOAK'] === '1';
  const kills = rounds ?? (soaks ? 1000 : 100);
  return {
    processes: processes ?? (soaks ? 20 : 8),
    generations: generations ?? (soaks ? 100 : 20),
    rounds: kills,
    graceRounds: soaks ? kills : Math.ceil(kills / 4),
  };
}

/**
 * Registers the cases that every `TokenStore` has to pass which processes share: races, kills, stops, sign-ins and
 * sign-outs elsewhere, each with real processes against an authorization server on 127.0.0.1.
 *
 * @throws TypeError that names what is wrong with an option, also where `skips` names a case that there is not
 */
export function runProcessSuite(options: ProcessSuiteOptions): void {
  checkGiven(options, CHECKS, 'test', 'createPlace', 'lock');
  const { test, createPlace, lock, skips = {} } = options;
  const counts = countsOf(options);
  for (const name of Object.keys(skips)) {
    if (!cases.some((one) => one.name === name))
      throw new TypeError(`\`skips\` names a case that there is not: '${name}'`);
  }
  for (const one of cases) {
    if (one.lock !== undefined && one.lock !== lock) continue;
    const run = async (): Promise<void> => {
      const place = await createPlace();
      try {
        await runProcessCase(one, { place, lock, counts });
      } finally {
        await place.close?.();
      }
    };
    const reason = skips[one.name];
    // The case gives up by itself first, and says more.
    if (reason === undefined) test(one.name, run, one.limitMs(counts) + 10_000);
    else test.skip(`${one.name} (${reason})`, run);
  }
}
