import type { TokenStore } from '@unexpired/core';
import { BOOLEAN, checkGiven, FUNCTION, TEST } from './checks.ts';
import type { SuiteTest } from './adapter-suite-driver.ts';
import type { StoreCase } from './store-suite-case.ts';
import { records } from './store-suite-records.ts';
import { sections } from './store-suite-sections.ts';
import { sources } from './store-suite-sources.ts';

/** Where records are kept, empty, for one case. */
export interface StorePlace {
  /** A store over this place. Called more than once only for `shared` cases, each time for another process' store. */
  readonly open: () => TokenStore | Promise<TokenStore>;
  /** Removes what the case left. */
  readonly close?: (() => void | Promise<void>) | undefined;
}

export interface StoreSuiteOptions {
  readonly test: SuiteTest;
  /** A place of its own for each case. */
  readonly createPlace: () => StorePlace | Promise<StorePlace>;
  /**
   * Whether stores opened over one place see each other's records, exclude each other, and hint at each other's
   * writes.
   * @default false: the cases of two stores are skipped
   */
  readonly shared?: boolean | undefined;
}

const cases: readonly StoreCase[] = [...records, ...sections, ...sources];

async function runCase({ createPlace }: StoreSuiteOptions, { run }: StoreCase): Promise<void> {
  const place = await createPlace();
  try {
    await run(async () => place.open());
  } finally {
    await place.close?.();
  }
}

/**
 * Registers the cases that every `TokenStore` has to pass within one process: what it reads and writes, its exclusive
 * section, and token sources over it against an authorization server on 127.0.0.1 that ends the grant on reuse.
 *
 * @throws TypeError that names the option, what was expected, and what came
 */
export function runStoreSuite(options: StoreSuiteOptions): void {
  checkGiven(options, { test: TEST, createPlace: FUNCTION, shared: BOOLEAN }, 'test', 'createPlace');
  const { test, shared = false } = options;
  for (const one of cases) {
    const run = (): Promise<void> => runCase(options, one);
    if (one.shared && !shared) test.skip(`${one.name} (not shared)`, run);
    else test(one.name, run);
  }
}
