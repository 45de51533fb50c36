import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { AccessTokenError } from '@unexpired/core';

/** What is used of fs-native-extensions, which has no types of its own. */
interface NativeExtensions {
  tryLock(fd: number, offset: number, length: number): boolean;
  unlock(fd: number, offset: number, length: number): void;
}

/** Locks that the operating system holds for an open file, and frees when its process dies. */
export interface NativeLock {
  /** False: another open file has it. */
  tryLock(fd: number, key: string): boolean;
  unlock(fd: number, key: string): void;
}

const BYTES = 1;

/** A byte of the file for each key, far beyond its end. Two keys that share one wait for each other, and no more. */
function offsetOf(key: string): number {
  return createHash('sha256').update(key).digest().readUIntBE(0, 6);
}

/** Only macOS has no locks on a part of a file there: all keys share the one on the whole. */
const WHOLE_FILE = process.platform === 'darwin';

/** @throws AccessTokenError where fs-native-extensions has no build for this platform */
export function loadNativeLock(): NativeLock {
  const extensions = loadExtensions();
  const range = (key: string): [number, number] => (WHOLE_FILE ? [0, 0] : [offsetOf(key), BYTES]);
  return {
    tryLock: (fd, key) => extensions.tryLock(fd, ...range(key)),
    unlock: (fd, key) => extensions.unlock(fd, ...range(key)),
  };
}

function loadExtensions(): NativeExtensions {
  try {
    return createRequire(import.meta.url)('fs-native-extensions') as NativeExtensions;
  } catch (cause) {
    throw new AccessTokenError(
      'ERR_STORE_FAILED',
      `No file can be locked here: fs-native-extensions has no build for ${process.platform}-${process.arch} ` +
        'with this C library (on Linux it needs glibc; Alpine has musl), or it is not installed. ' +
        'Credentials are never shared without a lock; use another store here, or an image with glibc.',
      { cause },
    );
  }
}
