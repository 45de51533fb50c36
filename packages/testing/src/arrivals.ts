/** Things in the order in which they arrived, and a way to wait for the next without polling. */
export interface Arrivals<T> {
  readonly all: readonly T[];
  add(item: T): void;
  /** The `count`th item since the start, at once when it is there already. */
  arrived(count: number): Promise<T>;
  /** Rejects everybody who still waits. */
  end(): void;
}

interface Waiter<T> {
  readonly count: number;
  readonly resolve: (item: T) => void;
  readonly reject: (error: Error) => void;
}

export function createArrivals<T>(what: string): Arrivals<T> {
  const all: T[] = [];
  let waiters: Waiter<T>[] = [];
  let ended = false;
  const missing = (count: number): Error =>
    new Error(
      `The server was closed after ${all.length} ${what}(s), while a test waited for number ${count}.`,
    );
  return {
    all,
    add(item) {
      all.push(item);
      for (const waiter of waiters) if (waiter.count === all.length) waiter.resolve(item);
      waiters = waiters.filter(({ count }) => count > all.length);
    },
    arrived(count) {
      const item = all[count - 1];
      if (item !== undefined) return Promise.resolve(item);
      if (ended) return Promise.reject(missing(count));
      return new Promise((resolve, reject) => {
        waiters.push({ count, resolve, reject });
      });
    },
    end() {
      ended = true;
      for (const { count, reject } of waiters) reject(missing(count));
      waiters = [];
    },
  };
}
