/**
 * Where the library reads time. Give one of your own only in tests: `createFakeClock` of `@unexpired/testing` is one.
 */
export interface Clock {
  /** Wall clock, epoch milliseconds. It may be stepped. */
  now(): number;
  /** Milliseconds of a clock that is never stepped; it may stand still while the machine sleeps. */
  monotonic(): number;
  /**
   * Calls back once after `ms` and returns what cancels it. A timer keeps the process alive only with `keepAlive`,
   * which is asked for while a caller waits.
   */
  setTimer(callback: () => void, ms: number, keepAlive?: boolean): () => void;
}

/** One moment on both clocks. */
export interface Instant {
  readonly wall: number;
  readonly mono: number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(callback, ms, keepAlive = false) {
    const timer: unknown = setTimeout(callback, ms);
    // Node and Deno hold the process open for a timer, browsers return a number.
    if (!keepAlive) (timer as { unref?: () => void }).unref?.();
    return () => clearTimeout(timer as number);
  },
};

export function instantOf(clock: Clock): Instant {
  return { wall: clock.now(), mono: clock.monotonic() };
}

/**
 * The larger of the two differences: a wall clock that was stepped and a monotonic clock that slept can then only make
 * us refresh early, never late.
 */
export function elapsedMs(since: Instant, now: Instant): number {
  return Math.max(now.wall - since.wall, now.mono - since.mono);
}

export function delay(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(resolve, ms);
  });
}

export interface TimeLimit<T> {
  readonly clock: Clock;
  readonly ms: number;
  /** What comes instead, once the time is over; what it throws is the rejection. */
  readonly onExpiry: () => T;
  /** Whether the process stays alive meanwhile. */
  readonly keepAlive?: boolean;
}

/** A timer that comes later than this was kept by a halted process or a blocked event loop. */
const HALTED_MS = 1000;

/** Settles with `promise`, or after the time limit with what stands in for it. */
export async function within<T>(
  promise: Promise<T>,
  { clock, ms, onExpiry, keepAlive }: TimeLimit<T>,
): Promise<T> {
  let cancel = (): void => undefined;
  const dueAt = clock.monotonic() + ms;
  const expired = new Promise<void>((resolve) => {
    const onDue = (): void => {
      // A halted process finds its timers due before it reads what came meanwhile: its time begins anew, once.
      if (clock.monotonic() - dueAt < HALTED_MS) resolve();
      else cancel = clock.setTimer(resolve, ms, keepAlive);
    };
    cancel = clock.setTimer(onDue, ms, keepAlive);
  });
  try {
    return await Promise.race([promise, expired.then(onExpiry)]);
  } finally {
    cancel();
  }
}
