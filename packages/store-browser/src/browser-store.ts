import { checkOptions, invalidOption, type TokenStore } from '@unexpired/core';
import { requireBrowser } from './failures.ts';
import { createHints } from './hints.ts';
import { runLocked } from './locks.ts';
import { readRecord, writeRecord } from './records.ts';

export interface BrowserStoreOptions {
  /** Names the database, locks and channels of the origin. Tabs that share a credential use the same one. */
  readonly name: string;
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
    runExclusive: (account, task, signal) => runLocked(nameOf(account), task, signal),
    subscribe(account, onChange) {
      requireBrowser();
      return hints.listen(account, onChange);
    },
  };
}
