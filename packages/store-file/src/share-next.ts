/** Shorter than core waits for a store: nothing lands after it was given up, and what hangs hurts only who asked for it. */
export const LONGEST_MS = 8000;

/** Resolves when the promise settles, or after so long. */
function endOf(running: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, LONGEST_MS).unref();
    const end = (): void => {
      clearTimeout(timer);
      resolve();
    };
    running.then(end, end);
  });
}

/**
 * One call runs at a time, and all who ask meanwhile share the next one: each gets the result of a call that began after
 * they asked. A call that hangs is not waited for.
 */
export function shareNext<T>(call: () => Promise<T>): () => Promise<T> {
  let last: Promise<void> = Promise.resolve();
  let next: Promise<T> | undefined;
  const begin = (): Promise<T> => {
    next = undefined;
    return call();
  };
  return () => {
    if (next === undefined) {
      next = last.then(begin);
      last = endOf(next);
    }
    return next;
  };
}
