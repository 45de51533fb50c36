/** Which step comes next, and who is held until the test lets go. */
export interface Script<Step> {
  /** Queues steps, one for each request to come, before `always` counts again. */
  readonly next: (...steps: Step[]) => void;
  /** The step for every request that no queued step is for; undefined for none. */
  readonly always: (step: Step | undefined) => void;
  readonly take: () => Step | undefined;
  /** Waits for `release`. */
  readonly hold: () => Promise<void>;
  /** Requests held now. */
  readonly held: number;
  /** Lets go of what is held now; says how many that were. */
  readonly release: () => number;
}

export function createScript<Step>(): Script<Step> {
  const queue: Step[] = [];
  let standing: Step | undefined;
  let holds: (() => void)[] = [];
  return {
    next(...steps) {
      queue.push(...steps);
    },
    always(step) {
      standing = step;
    },
    take: () => (queue.length > 0 ? queue.shift() : standing),
    hold: () =>
      new Promise((resolve) => {
        holds.push(resolve);
      }),
    get held() {
      return holds.length;
    },
    release() {
      const released = holds;
      holds = [];
      for (const resolve of released) resolve();
      return released.length;
    },
  };
}
