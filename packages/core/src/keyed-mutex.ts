import { Mutex } from 'async-mutex';

/** A mutex for each key that is in use, and none for the others. */
export interface KeyedMutex {
  /**
   * Runs `task` while no other task of this key runs, first come first served. `signal` ends only the waiting: then it
   * rejects with the signal's reason and the task is not run.
   */
  runExclusive<T>(key: string, task: () => Promise<T>, signal: AbortSignal): Promise<T>;
  /** How many keys are held or waited for. */
  readonly size: number;
}

/** For stores: exclusion within this process, which an operating system's lock between processes does not give. */
export function createKeyedMutex(): KeyedMutex {
  const held = new Map<string, { readonly mutex: Mutex; users: number }>();
  return {
    get size() {
      return held.size;
    },
    async runExclusive(key, task, signal) {
      signal.throwIfAborted();
      const entry = held.get(key) ?? { mutex: new Mutex(), users: 0 };
      held.set(key, entry);
      entry.users += 1;
      let giveUp = (): void => undefined;
      const aborted = new Promise<never>((_, reject) => {
        giveUp = () => reject(signal.reason as Error);
        signal.addEventListener('abort', giveUp, { once: true });
      });
      const turn = entry.mutex.acquire();
      try {
        const release = await Promise.race([turn, aborted]).catch((reason: unknown) => {
          // async-mutex cannot take a ticket back: the turn is passed on when it comes.
          void turn.then((passOn) => passOn());
          throw reason;
        });
        signal.removeEventListener('abort', giveUp);
        try {
          return await task();
        } finally {
          release();
        }
      } finally {
        entry.users -= 1;
        if (entry.users === 0) held.delete(key);
      }
    },
  };
}
