/** What code under test reads the time from. */
export interface Clock {
  /** Wall clock, epoch ms. It may be stepped. */
  now(): number;
  /** Monotonic ms, never stepped. */
  monotonic(): number;
  /** Calls back once after `ms`; the returned function cancels. */
  setTimer(callback: () => void, ms: number): () => void;
}
