import { constants } from 'node:fs';
import { open, mkdir, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import {
  AccessTokenError,
  checkOptions,
  createKeyedMutex,
  invalidOption,
  type CredentialRecord,
  type ExclusiveSection,
} from '@unexpired/core';
import { claimEnds, LAG_MS } from './claim-ends.ts';
import { codeOf, fileError } from './file-errors.ts';
import { loadNativeLock } from './native-lock.ts';
import { pause } from './pause.ts';

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
  /** Aborts `signal` once the lock file was removed or replaced: others may hold the new one. */
  readonly check: () => Promise<void>;
  /**
   * Waits while the claim that `read` finds stored may belong to the holder of a lock file that was removed, who may be
   * spending the refresh token. An abort of `signal` ends it with the signal's reason.
   */
  readonly claimEnds: (
    read: () => PromiseLike<CredentialRecord | undefined>,
    signal: AbortSignal,
  ) => Promise<void>;
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
/** So often it is made while it is waited for; then something is wrong with its path. */
const MAKES = 10;

/** The collector closes a file that nobody refers to any more, and that would free its lock. */
const held = new Set<FileHandle>();

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

  async function acquire(key: string, signal: AbortSignal): Promise<Lock> {
    for (let makes = 0; makes <= MAKES;) {
      signal.throwIfAborted();
      const file = await openLock(path);
      if (file === undefined) {
        makes += 1;
        await makeLock(path);
        continue;
      }
      const lock = await tryOnce(() => native.tryLock(file.fd, key), file, path);
      if (lock !== undefined && !signal.aborted) return lock;
      await lock?.file.close();
      await pause(POLL_FROM_MS + Math.random() * POLL_SPREAD_MS, { signal, keepAlive });
    }
    throw missing(path);
  }

  async function release({ file }: Lock, key: string): Promise<void> {
    held.delete(file);
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
          const lock = await acquire(key, signal);
          held.add(lock.file);
          try {
            await grown(lock);
            signal.throwIfAborted();
            return await task(sectionOf(lock, path));
          } finally {
            await release(lock, key);
          }
        },
        signal,
      ),
  };
}

interface Lock {
  readonly file: FileHandle;
  readonly madeAt: number;
}

/** A claim under a lock file is younger than the file, by the clock of its file system too. */
async function grown({ madeAt }: Lock): Promise<void> {
  const age = Date.now() - madeAt;
  if (age >= 0 && age <= LAG_MS) await setTimeout(2 * LAG_MS);
}

/** Undefined: another process has it. Closing gives up what was locked. */
async function tryOnce(lock: () => boolean, file: FileHandle, path: string): Promise<Lock | undefined> {
  try {
    if (lock() && (await isAt(file, path))) {
      // Nothing is ever written to it. Unlike `mtimeMs` nobody can set this back; later is only more careful.
      const { ctimeMs: madeAt } = await file.stat();
      return { file, madeAt };
    }
  } catch (error) {
    await file.close();
    throw fileError('locked', path, error);
  }
  await file.close();
  return undefined;
}

function missing(path: string): AccessTokenError {
  return new AccessTokenError(
    'ERR_STORE_FAILED',
    `The lock file ${path} is missing however often it is made: it is a symbolic link that leads to nothing, ` +
      'or something removes it.',
  );
}

/** Undefined: there is none. */
async function openLock(path: string): Promise<FileHandle | undefined> {
  try {
    // Locks want a file that is open for writing, on Windows for reading. Windows has no O_NOFOLLOW.
    return await open(path, constants.O_RDWR | constants.O_NOFOLLOW);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    if (codeOf(error) !== 'ELOOP') throw fileError('opened as a lock', path, error);
    const message = `The lock file ${path} is a symbolic link, which is not followed. Remove it.`;
    throw new AccessTokenError('ERR_STORE_FAILED', message, { cause: error });
  }
}

async function makeLock(path: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await (await open(path, 'ax+', 0o600)).close();
  } catch (error) {
    // Another process was faster, or it is a link to nothing.
    if (codeOf(error) !== 'EEXIST') throw fileError('made as a lock', path, error);
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

function sectionOf({ file, madeAt }: Lock, path: string): LockedSection {
  const lost = new AbortController();
  return {
    signal: lost.signal,
    clock: undefined,
    claimEnds: (read, signal) => claimEnds(madeAt, read, signal),
    async check() {
      if (await isAt(file, path)) return;
      const message =
        `The lock file ${path} was removed or replaced while it was in use, so that others may hold another one. ` +
        'Find what removes it, and leave it where it is.';
      lost.abort(new AccessTokenError('ERR_STORE_FAILED', message));
    },
  };
}
