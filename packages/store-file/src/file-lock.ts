import { open, mkdir, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  AccessTokenError,
  checkOptions,
  createKeyedMutex,
  invalidOption,
  type ExclusiveSection,
} from '@unexpired/core';
import { codeOf, fileError } from './file-errors.ts';
import { loadNativeLock } from './native-lock.ts';

export interface FileLockOptions {
  /**
   * The file that is locked, made where it is missing and never removed: an absolute path, used for nothing else.
   * Never the file that is protected, which is replaced when it is written.
   */
  readonly path: string;
  /** Whether waiting for it keeps the process alive. @default false */
  readonly keepAlive?: boolean | undefined;
}

/** What a task knows of the lock under which it runs. */
export interface LockedSection extends ExclusiveSection {
  /** False, with `signal` aborted, once the lock file was removed or replaced: others may hold the new one. */
  readonly isIntact: () => Promise<boolean>;
}

/** Exclusion between processes, by a lock that the operating system frees when its holder dies, and never before. */
export interface FileLock {
  /**
   * Runs `task` while no other task of this key runs, in any process that locks this file. `signal` ends only the
   * waiting: then it rejects with the signal's reason and the task is not run. Keys may exclude each other (on macOS
   * all of them do), so that a task must not wait for another key of the same file.
   *
   * @throws AccessTokenError where the file cannot be made or locked
   */
  runExclusive<T>(key: string, task: (section: LockedSection) => Promise<T>, signal: AbortSignal): Promise<T>;
}

const POLL_FROM_MS = 5;
const POLL_SPREAD_MS = 15;

const CHECKS = {
  path: ['a path', (value: unknown) => typeof value === 'string' && value !== ''],
  keepAlive: ['true or false', (value: unknown) => typeof value === 'boolean'],
} as const;

/**
 * A lock on a file, for stores that processes share.
 *
 * @throws TypeError that names the option, what was expected, and what came
 * @throws AccessTokenError where this platform has no native build
 */
export function createFileLock(options: FileLockOptions): FileLock {
  checkOptions(options, CHECKS);
  const { path, keepAlive = false } = options;
  if (path === undefined) throw invalidOption('path', CHECKS.path[0], path);
  const native = loadNativeLock();
  const mutex = createKeyedMutex();

  /** Undefined: another process has it. */
  async function tryOnce(key: string): Promise<FileHandle | undefined> {
    const file = await openLockFile(path);
    try {
      if (native.tryLock(file.fd, key) && (await isAt(file, path))) return file;
    } catch (error) {
      await file.close();
      throw fileError('locked', path, error);
    }
    // Closing gives up what was locked.
    await file.close();
    return undefined;
  }

  async function acquire(key: string, signal: AbortSignal): Promise<FileHandle> {
    for (;;) {
      signal.throwIfAborted();
      const file = await tryOnce(key);
      if (file !== undefined && !signal.aborted) return file;
      await file?.close();
      await pause(POLL_FROM_MS + Math.random() * POLL_SPREAD_MS, { signal, keepAlive });
    }
  }

  async function release(file: FileHandle, key: string): Promise<void> {
    try {
      native.unlock(file.fd, key);
    } finally {
      await file.close();
    }
  }

  return {
    runExclusive: (key, task, signal) =>
      mutex.runExclusive(
        key,
        async () => {
          const file = await acquire(key, signal);
          try {
            return await task(sectionOf(file, path));
          } finally {
            await release(file, key);
          }
        },
        signal,
      ),
  };
}

async function openLockFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'a+', 0o600).catch(async (error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error;
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      return open(path, 'a+', 0o600);
    });
  } catch (error) {
    throw fileError('opened as a lock', path, error);
  }
}

/** Whether the open file is still the one that a newcomer would open. */
async function isAt(file: FileHandle, path: string): Promise<boolean> {
  const own = await file.stat({ bigint: true });
  try {
    const there = await stat(path, { bigint: true });
    return own.ino === there.ino && own.dev === there.dev;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

function sectionOf(file: FileHandle, path: string): LockedSection {
  const lost = new AbortController();
  return {
    signal: lost.signal,
    clock: undefined,
    async isIntact() {
      if (!lost.signal.aborted && !(await isAt(file, path))) {
        lost.abort(
          new AccessTokenError(
            'ERR_STORE_FAILED',
            `The lock file ${path} was removed or replaced while it was in use. No refresh token was spent; ` +
              'find what removes it, and leave it where it is.',
          ),
        );
      }
      return !lost.signal.aborted;
    },
  };
}

function pause(
  ms: number,
  { signal, keepAlive }: { signal: AbortSignal; keepAlive: boolean },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      settle();
    };
    const onAbort = (): void => end(() => reject(signal.reason as Error));
    const timer = setTimeout(() => end(resolve), ms);
    if (!keepAlive) timer.unref();
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
