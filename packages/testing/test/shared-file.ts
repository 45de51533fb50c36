import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { watch } from 'node:fs';
import { mkdir, open, readFile, rename, rmdir, writeFile, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { createKeyedMutex, type CredentialRecord, type TokenStore } from '@unexpired/core';

/** One part of a sound store that is left out. */
export type Flaw = 'no-lock' | 'no-compare' | 'no-compare-and-no-lock' | 'forgets-commits' | 'torn' | 'stuck';

const { tryLock, unlock } = createRequire(import.meta.url)('fs-native-extensions') as {
  readonly tryLock: (fd: number) => boolean;
  readonly unlock: (fd: number) => void;
};

type Records = Record<string, CredentialRecord>;

async function load(path: string): Promise<Records> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Records;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}

async function whileLocked<T>(path: string, signal: AbortSignal, task: () => Promise<T>): Promise<T> {
  const handle: FileHandle = await open(path, 'a', 0o600);
  try {
    while (!tryLock(handle.fd)) await setTimeout(2 + 6 * Math.random(), undefined, { signal });
    try {
      return await task();
    } finally {
      unlock(handle.fd);
    }
  } catch (error) {
    throw signal.aborted ? (signal.reason as Error) : error;
  } finally {
    await handle.close();
  }
}

const patient = new AbortController().signal;

/** A store for the tests of the race driver: a JSON file, a lock of the system beside it, and the flaw that is asked for. */
export default function createSharedFile({ path, flaw }: { path: string; flaw?: Flaw }): TokenStore {
  const mutex = createKeyedMutex();
  const section = { signal: patient, clock: undefined };
  /** A lock file that nobody frees whose maker died. */
  async function whileMarked<T>(mark: string, signal: AbortSignal, task: () => Promise<T>): Promise<T> {
    for (;;) {
      signal.throwIfAborted();
      const made = await mkdir(mark).then(
        () => true,
        () => false,
      );
      if (made) break;
      await setTimeout(5);
    }
    try {
      return await task();
    } finally {
      await rmdir(mark);
    }
  }
  const exclude = flaw === 'stuck' ? whileMarked : whileLocked;
  const compares = flaw !== 'no-compare' && flaw !== 'no-compare-and-no-lock';
  const locks = flaw !== 'no-lock' && flaw !== 'no-compare-and-no-lock';

  async function save(records: Records): Promise<void> {
    const text = JSON.stringify(records);
    if (flaw === 'torn') {
      await writeFile(path, text.slice(0, text.length / 2));
      await writeFile(path, text);
      return;
    }
    const temporary = `${path}.${randomUUID()}`;
    await writeFile(temporary, text, { mode: 0o600, flush: true });
    await rename(temporary, path);
  }

  return {
    read: async (account) => (await load(path))[account],
    write: (account, record, expected) =>
      mutex.runExclusive(
        'write',
        () =>
          whileLocked(`${path}.write`, patient, async () => {
            const records = await load(path);
            const stored = records[account];
            if (compares && expected !== 'replace' && stored?.revision !== expected) return false;
            if (flaw === 'forgets-commits' && stored?.claim && record.claimRevision === stored.revision)
              return true;
            await save({ ...records, [account]: record });
            return true;
          }),
        patient,
      ),
    runExclusive: (account, task, signal) =>
      locks
        ? mutex.runExclusive(
            account,
            () => exclude(`${path}.${account}.lock`, signal, () => task(section)),
            signal,
          )
        : task(section),
    subscribe(_account, onChange) {
      // A hint that comes in time would hide that nothing is compared.
      if (!compares) return undefined;
      const watcher = watch(dirname(path), (_event, name) => {
        if (name === null || join(dirname(path), name) === path) onChange();
      });
      watcher.unref();
      return () => watcher.close();
    },
  };
}
