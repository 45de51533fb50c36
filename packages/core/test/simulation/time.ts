import type { Clock } from '../../src/index.ts';

export interface Timer {
  readonly owner: string;
  readonly due: number;
  /** It keeps its process alive. */
  readonly keepAlive: boolean;
  readonly fire: () => void;
}

/** The one time of a simulated machine; each of its processes sets timers of its own. It moves only when told. */
export interface SimulatedTime {
  readonly timers: ReadonlySet<Timer>;
  now(): number;
  monotonic(): number;
  clockOf(owner: string): Clock;
  /** The longest timer that was ever set. */
  readonly longestMs: number;
  /** Moves on to the timer, if it is not overdue, and calls it. */
  fire(timer: Timer): void;
  /** Moves on without calling any timer. */
  pass(ms: number): void;
  /** Steps the wall clock, or lets the machine sleep: the timers and the monotonic clock stand still. */
  stepWall(ms: number): void;
  discard(owner: string): void;
}

export function createTime(): SimulatedTime {
  const timers = new Set<Timer>();
  let wall = Date.UTC(2026, 0, 1);
  let mono = 1000;
  let longestMs = 0;

  function pass(ms: number): void {
    wall += ms;
    mono += ms;
  }
  return {
    timers,
    get longestMs() {
      return longestMs;
    },
    now: () => wall,
    monotonic: () => mono,
    clockOf: (owner) => ({
      now: () => wall,
      monotonic: () => mono,
      setTimer(callback, ms, keepAlive = false) {
        longestMs = Math.max(longestMs, ms);
        const timer = { owner, due: mono + ms, keepAlive, fire: callback };
        timers.add(timer);
        return () => void timers.delete(timer);
      },
    }),
    fire(timer) {
      timers.delete(timer);
      pass(Math.max(0, timer.due - mono));
      timer.fire();
    },
    pass,
    stepWall(ms) {
      wall += ms;
    },
    discard(owner) {
      for (const timer of timers) if (timer.owner === owner) timers.delete(timer);
    },
  };
}

/** Lets every chain of promises run to its end: a tick is taken only when no microtask is left. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve);
  });
}
