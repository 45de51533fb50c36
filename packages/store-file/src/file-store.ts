import nodeFs from 'node:fs/promises';
import {
  AccessTokenError,
  checkOptions,
  invalidOption,
  type CredentialRecord,
  type TokenStore,
} from '@unexpired/core';
import { createAccountHints } from './account-hints.ts';
import type { FileSystem } from './atomic-file.ts';
import { createCredentialsFile, type CredentialsFile } from './credentials-file.ts';
import {
  entryOf,
  hasRevision,
  NO_CREDENTIALS,
  UnreadableCredentials,
  withEntry,
  type Credentials,
} from './credentials.ts';
import { createFileLock, type FileLock, type LockedSection } from './file-lock.ts';
import { realPathOf } from './real-path.ts';
import { shareNext } from './share-next.ts';

export interface FileStoreOptions {
  /**
   * The credentials file; `~` is the home directory, a symbolic link stays and its target is written. Made where it is
   * missing, with its directory. `<path>.lock` and `<path>.write.lock` beside it are never removed.
   */
  readonly path: string;
}

/** Shorter than core waits for a store: nothing lands after it was given up. */
const WRITE_MS = 8000;

/** Rejects once the write lock was lost. */
type KeepLock = () => Promise<void>;

const LOST = Symbol('lost');

async function unlessLost<T>(
  { check, signal }: LockedSection,
  task: (keepLock: KeepLock) => Promise<T>,
): Promise<T | typeof LOST> {
  try {
    return await task(async () => {
      await check();
      signal.throwIfAborted();
    });
  } catch (error) {
    if (signal.aborted && error === signal.reason) return LOST;
    throw error;
  }
}

/** Runs `task` under the write lock, again from its beginning where it lost that. */
async function whileWriting<T>(
  lock: FileLock,
  path: string,
  task: (keepLock: KeepLock) => Promise<T>,
): Promise<T> {
  const patience = new AbortController();
  const giveUp = (): void => {
    const message =
      `Another process has been writing ${path} for ${WRITE_MS} ms. ` +
      'Nothing was written; try again, or find what hangs.';
    patience.abort(new AccessTokenError('ERR_STORE_FAILED', message));
  };
  const timer = setTimeout(giveUp, WRITE_MS).unref();
  try {
    for (;;) {
      const result = await lock.runExclusive(
        'write',
        (section) => unlessLost(section, task),
        patience.signal,
      );
      if (result !== LOST) return result;
    }
  } finally {
    clearTimeout(timer);
  }
}

interface Change {
  readonly account: string;
  readonly record: CredentialRecord;
  readonly expected: number | undefined | 'replace';
}

/** What the changes are written into; a sign-in that replaces what is there keeps that aside. */
async function readToChange(file: CredentialsFile, changes: readonly Change[]): Promise<Credentials> {
  const replaced = changes.filter(({ expected }) => expected === 'replace');
  try {
    const credentials = await file.read();
    if (replaced.some(({ account }) => entryOf(credentials, account) !== undefined)) await file.keepAside();
    return credentials;
  } catch (error) {
    if (replaced.length === 0 || !(error instanceof UnreadableCredentials)) throw error;
    await file.keepAside();
    return NO_CREDENTIALS;
  }
}

/** Compares and sets one after another, and returns what was set; the caller holds the write lock. */
async function apply(
  file: CredentialsFile,
  changes: readonly Change[],
  keepLock: KeepLock,
): Promise<ReadonlySet<Change>> {
  let credentials = await readToChange(file, changes);
  const applied = new Set<Change>();
  for (const change of changes) {
    const { account, record, expected } = change;
    if (expected !== 'replace' && !hasRevision(entryOf(credentials, account), expected)) continue;
    credentials = withEntry(credentials, account, record);
    applied.add(change);
  }
  if (applied.size > 0) await file.write(credentials, keepLock);
  return applied;
}

/** Writes changes that come while the file is being written all at once: each costs the whole file, and a flush. */
function createWriter(path: string, file: CredentialsFile): (change: Change) => Promise<boolean> {
  // A file of its own: on macOS a section would lock out its own holder's writes.
  const lock = createFileLock({ path: `${path}.write.lock`, keepAlive: true });
  let waiting: Change[] = [];
  const writeAll = shareNext(() => {
    const changes = waiting;
    waiting = [];
    return whileWriting(lock, path, (keepLock) => apply(file, changes, keepLock));
  });
  return async (change) => {
    waiting.push(change);
    return (await writeAll()).has(change);
  };
}

/** A store over a real path that knows of no other in this process. */
export function openFileStore(path: string, fs: FileSystem = nodeFs): TokenStore {
  const sections = createFileLock({ path: `${path}.lock` });
  const file = createCredentialsFile(path, fs);
  const change = createWriter(path, file);
  const hints = createAccountHints(path, file);
  // Core judges it: one that is damaged is an error of this account alone.
  const read = async (account: string): Promise<CredentialRecord | undefined> =>
    entryOf(await file.read(), account) as CredentialRecord | undefined;
  return {
    async read(account) {
      const record = await read(account);
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
