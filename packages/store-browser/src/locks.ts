import type { ExclusiveSection } from '@unexpired/core';
import { lockFailure, requireBrowser } from './failures.ts';

// The browser takes a lock from nobody who lives, however slow.
const section: ExclusiveSection = { signal: new AbortController().signal, clock: undefined };

const ASK_AGAIN_MS = 1000;
const ASKING_MS = 100;

/**
 * A page may enter the back/forward cache with the lock. Chromium removes it from there when somebody asks for that lock,
 * but not for those who had asked before, and looks at those once a later one gives up. Returns what ends it.
 */
function askAgain(lock: string): () => void {
  const ask = (): void => {
    const signal = AbortSignal.timeout(ASKING_MS);
    navigator.locks.request(lock, { signal }, () => undefined).catch(() => undefined);
  };
  const timer = setInterval(ask, ASK_AGAIN_MS);
  return () => clearInterval(timer);
}

/** Runs the task under a Web Lock; the signal ends only the waiting. */
export async function runLocked<T>(
  lock: string,
  task: (section: ExclusiveSection) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  requireBrowser();
  let hasBegun = false;
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => {
    if (!hasBegun) aborted.reject(signal.reason);
  };
  signal.addEventListener('abort', onAbort);
  const stopAsking = askAgain(lock);
  const run = async (): Promise<T> => {
    // Chromium misses an abort while it gets ready for the first request of a page.
    signal.throwIfAborted();
    hasBegun = true;
    stopAsking();
    return task(section);
  };
  try {
    return await Promise.race([navigator.locks.request(lock, { signal }, run), aborted.promise]);
  } catch (error) {
    throw hasBegun || signal.aborted ? error : lockFailure(error);
  } finally {
    stopAsking();
    signal.removeEventListener('abort', onAbort);
  }
}
