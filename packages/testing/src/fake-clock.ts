import { setImmediate } from 'node:timers';
import type { Clock } from '@unexpired/core';
import { checkGiven } from './checks.ts';

/**
 * A clock that moves only when the test says so. Sockets, files and `AbortSignal.timeout` do not follow it: hold an
 * answer at a server of this package instead of advancing over it.
 */
export interface FakeClock extends Clock {
  /**
   * Moves both clocks, calling each timer that comes due at its own time, in order. Between two timers everything that
   * needs no I/O settles, so timers set by promise chains count too. Rejects with what a timer throws.
   */
  readonly advance: (ms: number) => Promise<void>;
  /** Steps the wall clock, forwards or backwards; no timer notices. */
  readonly step: (ms: number) => void;
  /** Suspends the machine: the wall clock moves on, the monotonic one and the timers do not. */
  readonly sleep: (ms: number) => void;
  /** Timers that were neither called nor cancelled. */
  readonly pendingTimers: number;
}

interface Timer {
  readonly due: number;
  readonly callback: () => void;
}

interface Time {
  wall: number;
  monotonic: number;
  /** In the order in which they were set. */
  readonly timers: Set<Timer>;
  isAdvancing: boolean;
}

function duration(ms: number, call: string): number {
  if (ms >= 0 && ms < Infinity) return ms;
  throw new RangeError(`\`${call}\` takes milliseconds, 0 or more, and was given ${ms}.`);
}

function move(time: Time, ms: number): void {
  time.wall += ms;
  time.monotonic += ms;
}

/** Resolves when no promise chain can go on without I/O or a timer. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function takeNext({ timers }: Time, until: number): Timer | undefined {
  let next: Timer | undefined;
  for (const timer of timers)
    if (timer.due <= until && (next === undefined || timer.due < next.due)) next = timer;
  if (next !== undefined) timers.delete(next);
  return next;
}

async function runTimers(time: Time, until: number): Promise<void> {
  await settle();
  for (let timer = takeNext(time, until); timer !== undefined; timer = takeNext(time, until)) {
    move(time, Math.max(0, timer.due - time.monotonic));
    timer.callback();
    await settle();
  }
  move(time, until - time.monotonic);
}

async function advance(time: Time, ms: number): Promise<void> {
  const until = time.monotonic + duration(ms, 'advance');
  if (time.isAdvancing)
    throw new Error('The clock is being advanced already: await one `advance` before the next.');
  time.isAdvancing = true;
  try {
    await runTimers(time, until);
  } finally {
    time.isAdvancing = false;
  }
}

/** Creates a clock that stands still. `now` is where its wall clock starts, in epoch ms. @default 2026-01-01 UTC */
export function createFakeClock(options: { readonly now?: number | undefined } = {}): FakeClock {
  checkGiven(options, { now: ['a finite number of epoch milliseconds', Number.isFinite] });
  const { now = Date.UTC(2026, 0, 1) } = options;
  // Not 0, so that code which takes 0 for "unset" is found out.
  const time: Time = { wall: now, monotonic: 1000, timers: new Set(), isAdvancing: false };
  return {
    now: () => time.wall,
    monotonic: () => time.monotonic,
    setTimer(callback, ms) {
      const timer = { due: time.monotonic + Math.max(0, ms), callback };
      time.timers.add(timer);
      return () => {
        time.timers.delete(timer);
      };
    },
    advance: (ms) => advance(time, ms),
    step(ms) {
      time.wall += ms;
    },
    sleep(ms) {
      time.wall += duration(ms, 'sleep');
    },
    get pendingTimers() {
      return time.timers.size;
    },
  };
}
