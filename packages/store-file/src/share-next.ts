/**
 * One call runs at a time, and all who ask meanwhile share the next one: each gets the result of a call that began after
 * they asked.
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
      const end = (): void => undefined;
      last = next.then(end, end);
    }
    return next;
  };
}
