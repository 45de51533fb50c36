import { AccessTokenError, type CredentialRecord } from '@unexpired/core';
import type { CredentialsFile } from './credentials-file.ts';
import {
  entryOf,
  hasRevision,
  NO_CREDENTIALS,
  UnreadableCredentials,
  withEntry,
  type Credentials,
} from './credentials.ts';
import { fileError } from './file-errors.ts';
import { createFileLock, type FileLock, type LockedSection } from './file-lock.ts';
import { LONGEST_MS, shareNext } from './share-next.ts';

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

/** Ends the waiting of changes of which the oldest was asked for at that moment. */
function patienceFor(
  path: string,
  askedAt: number,
): { readonly signal: AbortSignal; readonly end: () => void } {
  const patience = new AbortController();
  const giveUp = (): void => {
    const message =
      `Another write of ${path} has taken ${LONGEST_MS} ms. ` +
      'Nothing was written; try again, or find what hangs.';
    patience.abort(new AccessTokenError('ERR_STORE_FAILED', message));
  };
  const leftMs = Math.max(0, askedAt + LONGEST_MS - performance.now());
  // The lock may be had before a timer fires.
  if (leftMs === 0) giveUp();
  const timer = setTimeout(giveUp, leftMs).unref();
  return { signal: patience.signal, end: () => clearTimeout(timer) };
}

/** Runs `task` under the write lock, again from its beginning where it lost that. */
async function whileWriting<T>(
  lock: FileLock,
  signal: AbortSignal,
  task: (keepLock: KeepLock) => Promise<T>,
): Promise<T> {
  for (;;) {
    const result = await lock.runExclusive('write', (section) => unlessLost(section, task), signal);
    if (result !== LOST) return result;
  }
}

export interface Change {
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

/** One that cannot be written would fail all that are written with it. */
function checkJson(path: string, record: CredentialRecord): void {
  try {
    JSON.stringify(record);
  } catch (error) {
    throw fileError('written', path, error);
  }
}

/** Writes changes that come while the file is being written all at once: each costs the whole file, and a flush. */
export function createFileWriter(path: string, file: CredentialsFile): (change: Change) => Promise<boolean> {
  // A file of its own: on macOS a section would lock out its own holder's writes.
  const lock = createFileLock({ path: `${path}.write.lock`, keepAlive: true });
  let waiting: Change[] = [];
  let askedAt = 0;
  const writeAll = shareNext(async () => {
    const changes = waiting;
    waiting = [];
    const { signal, end } = patienceFor(path, askedAt);
    try {
      return await whileWriting(lock, signal, (keepLock) => apply(file, changes, keepLock));
    } finally {
      end();
    }
  });
  return async (change) => {
    checkJson(path, change.record);
    if (waiting.length === 0) askedAt = performance.now();
    waiting.push(change);
    return (await writeAll()).has(change);
  };
}
