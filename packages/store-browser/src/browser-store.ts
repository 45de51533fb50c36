import { checkOptions, invalidOption, type ExclusiveSection, type TokenStore } from '@unexpired/core';
import { lockFailure, requireBrowser } from './failures.ts';
import { createHints } from './hints.ts';
import { readRecord, writeRecord } from './records.ts';

export interface BrowserStoreOptions {
  /** Names the database, locks and channels of the origin. Tabs that share a credential use the same one. */
  readonly name: string;
}

// The browser takes a lock from nobody who lives, however slow.
const section: ExclusiveSection = { signal: new AbortController().signal, clock: undefined };

async function runExclusive<T>(
  lock: string,
  task: (section: ExclusiveSection) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  requireBrowser();
  let hasBegun = false;
  try {
    return await navigator.locks.request(lock, { signal }, () => {
      hasBegun = true;
      return task(section);
    });
  } catch (error) {
    throw hasBegun || signal.aborted ? error : lockFailure(error);
  }
}

const NAME = 'a string that is not empty';

/**
 * Keeps credentials in the browser, shared by the tabs and workers of one origin. Where the browser cannot keep or lock
 * them (an insecure context, blocked site data), each use of it fails, and says so.
 *
 * @throws TypeError that names the option, what was expected, and what came
 */
export function createBrowserStore(options: BrowserStoreOptions): TokenStore {
  checkOptions(options, { name: [NAME, (value) => typeof value === 'string' && value !== ''] });
  if (options.name === undefined) throw invalidOption('name', NAME, undefined);
  const database = `unexpired:${options.name}`;
  const nameOf = (account: string): string => `unexpired:${JSON.stringify([options.name, account])}`;
  const hints = createHints(nameOf);
  return {
    read: (account) => readRecord(database, account),
    async write(account, record, expected) {
      const written = await writeRecord(database, { account, record }, expected);
      if (written) hints.announce(account);
      return written;
    },
    runExclusive: (account, task, signal) => runExclusive(nameOf(account), task, signal),
    subscribe(account, onChange) {
      requireBrowser();
      return hints.listen(account, onChange);
    },
  };
}
