import nodeFs from 'node:fs/promises';
import { checkOptions, invalidOption, type CredentialRecord, type TokenStore } from '@unexpired/core';
import { createAccountHints } from './account-hints.ts';
import type { FileSystem } from './atomic-file.ts';
import { createCredentialsFile } from './credentials-file.ts';
import { entryOf } from './credentials.ts';
import { createFileLock } from './file-lock.ts';
import { createFileWriter } from './file-writer.ts';
import { realPathOf } from './real-path.ts';

export interface FileStoreOptions {
  /**
   * The credentials file; `~` is the home directory, a symbolic link stays and its target is written. Made where it is
   * missing, with its directory. `<path>.lock` and `<path>.write.lock` beside it are never removed.
   */
  readonly path: string;
}

/** A store over a real path that knows of no other in this process. */
export function openFileStore(path: string, fs: FileSystem = nodeFs): TokenStore {
  const sections = createFileLock({ path: `${path}.lock` });
  const file = createCredentialsFile(path, fs);
  const change = createFileWriter(path, file);
  const hints = createAccountHints(path, file);
  // Core judges it: one that is damaged is an error of this account alone.
  const read = async (account: string): Promise<CredentialRecord | undefined> =>
    entryOf(await file.read(), account) as CredentialRecord | undefined;
  return {
    async read(account) {
      const record = await read(account);
      hints.read(account, record);
      hints.renew();
      return record;
    },

    async write(account, record, expected) {
      const isWritten = await change({ account, record, expected });
      if (isWritten) hints.written(account, record);
      hints.renew();
      return isWritten;
    },

    runExclusive: (account, task, signal) =>
      sections.runExclusive(
        account,
        async (section) => {
          await section.claimEnds(() => read(account), signal);
          return task(section);
        },
        signal,
      ),

    subscribe: (account, onChange) => hints.listen(account, onChange),
  };
}

const CHECKS = {
  path: ['the path of a file', (value: unknown) => typeof value === 'string' && value !== ''],
} as const;

const stores = new Map<string, WeakRef<TokenStore>>();

/**
 * Keeps credentials in a file that any number of processes share. The same file gives the same store.
 *
 * @throws TypeError that names the option, what was expected, and what came
 * @throws AccessTokenError where files cannot be locked on this platform
 */
export function createFileStore(options: FileStoreOptions): TokenStore {
  checkOptions(options, CHECKS);
  const given: unknown = options.path;
  if (given === undefined) throw invalidOption('path', CHECKS.path[0], given);
  const path = realPathOf(options.path);
  const store = stores.get(path)?.deref() ?? openFileStore(path);
  stores.set(path, new WeakRef(store));
  return store;
}
