import type { SimulatedTime, Timer } from './time.ts';

/** What a process waits for from outside. An exchange is two operations: the request arrives, the answer arrives. */
export type Kind = 'read' | 'write' | 'lock' | 'unlock' | 'send' | 'answer' | 'hint';

/**
 * - `crash`: the process is gone; what it waited for never comes, its lock is free
 * - `stop`, `stop-after`: the process is halted (SIGSTOP) before or after the operation took effect; its lock stays
 * - `fail`, `fail-after`: the operation rejects without or with its effect; for an answer: it is lost
 * - `outage`: this write and the next ones of the process reject
 * - `stall`, `stall-after`: the operation is slow, before or after its effect, while the process runs on
 */
export type FaultName =
  | 'crash'
  | 'stop'
  | 'stop-after'
  | 'fail'
  | 'fail-after'
  | 'outage'
  | 'stall'
  | 'stall-after';

export interface Host {
  readonly name: string;
  state: 'running' | 'stopped' | 'crashed';
  /** So many writes are still going to fail. */
  brokenWrites: number;
}

/** Something the simulation may do next. */
export interface Move {
  readonly name: string;
  /** When it happens, by the monotonic clock; undefined: now. */
  readonly at?: number;
  readonly fault?: { readonly name: FaultName; readonly kind: Kind; readonly host: Host };
  make(): void;
}

export interface Performance<T> {
  readonly kind: Kind;
  readonly effect: () => T;
  readonly isReady?: () => boolean;
  /** Gives the operation up. */
  readonly signal?: AbortSignal | undefined;
}

interface Operation {
  readonly host: Host;
  readonly kind: Kind;
  isReady: () => boolean;
  effect: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
  stalled: boolean;
  /** Nothing is left to be given up. */
  tookEffect: boolean;
}

export interface Scheduler {
  /** Waits until the operation is released, with what its effect returns then. */
  perform<T>(host: Host, performance: Performance<T>): Promise<T>;
  /** What could happen next; faults only if asked for. */
  moves(withFaults: boolean): Move[];
  /** Whether an operation is under way that is not stalled for good. */
  isPending(host: Host): boolean;
  crash(host: Host): void;
}

/** Which faults an operation can meet, beside those of its process. */
const FAULTS: Readonly<Record<Kind, readonly FaultName[]>> = {
  read: ['fail', 'stall'],
  write: ['fail', 'fail-after', 'outage', 'stall', 'stall-after', 'stop-after'],
  lock: ['fail', 'stop-after'],
  unlock: [],
  send: ['fail', 'stall'],
  answer: ['fail', 'stall'],
  hint: [],
};

/** A stopped process may sleep so long that all of its time limits are over when it goes on. */
const LONG_STOP_MS = 20_000;
/** Longer, with the pauses between attempts, than others wait for the lock. */
const OUTAGE_WRITES = 6;

function brokenBy(kind: Kind): Error {
  const code = kind === 'send' || kind === 'answer' ? 'ECONNRESET' : 'EIO';
  return Object.assign(new Error(`simulated failure of ${kind}`), { code });
}

function settleWith(operation: Operation): void {
  const { host, kind, effect } = operation;
  try {
    if (kind === 'write' && host.brokenWrites > 0) {
      host.brokenWrites -= 1;
      throw brokenBy(kind);
    }
    operation.resolve(effect());
  } catch (error) {
    operation.reject(error);
  }
}

export function createScheduler(time: SimulatedTime, freeLock: (host: Host) => void): Scheduler {
  const pending = new Set<Operation>();
  const hosts = new Set<Host>();

  function crash(host: Host): void {
    host.state = 'crashed';
    for (const operation of pending) if (operation.host === host) pending.delete(operation);
    time.discard(host.name);
    freeLock(host);
  }
  /** The effect comes now, the answer later. */
  function holdAnswer(operation: Operation, stalled: boolean): void {
    const value = operation.effect();
    Object.assign(operation, { isReady: () => true, effect: () => value, stalled, tookEffect: true });
  }
  const fates: Record<FaultName, (operation: Operation) => void> = {
    crash: ({ host }) => crash(host),
    stop({ host }) {
      host.state = 'stopped';
    },
    'stop-after'(operation) {
      holdAnswer(operation, false);
      operation.host.state = 'stopped';
    },
    fail(operation) {
      pending.delete(operation);
      operation.reject(brokenBy(operation.kind));
    },
    'fail-after'(operation) {
      pending.delete(operation);
      operation.effect();
      operation.reject(brokenBy(operation.kind));
    },
    outage(operation) {
      operation.host.brokenWrites = OUTAGE_WRITES;
      fates.fail(operation);
    },
    stall(operation) {
      operation.stalled = true;
    },
    'stall-after': (operation) => holdAnswer(operation, true),
  };

  function release(operation: Operation): Move {
    return {
      name: `${operation.host.name}:${operation.kind}${operation.stalled ? ' at last' : ''}`,
      make() {
        pending.delete(operation);
        settleWith(operation);
      },
    };
  }
  function faultsOf(operation: Operation): Move[] {
    const { host, kind } = operation;
    const own = operation.tookEffect ? [] : FAULTS[kind];
    return [...(['crash', 'stop'] as const), ...own].map((name) => ({
      name: `${host.name}:${kind} ${name}`,
      fault: { name, kind, host },
      make: () => fates[name](operation),
    }));
  }
  function timerMoves(isDue: (timer: Timer) => boolean): Move[] {
    const running = [...hosts].filter(({ state }) => state === 'running').map(({ name }) => name);
    const due = [...time.timers].filter((timer) => running.includes(timer.owner) && isDue(timer));
    const first = Math.min(...due.map((timer) => timer.due));
    return due
      .filter((timer) => timer.due === first)
      .map((timer) => ({ name: `${timer.owner}:timer`, at: timer.due, make: () => time.fire(timer) }));
  }
  /** What was delayed may go on whenever nothing else can, or later. */
  function resumptions(): Move[] {
    const stopped = [...hosts].filter(({ state }) => state === 'stopped');
    return stopped.flatMap((host) =>
      [0, LONG_STOP_MS].map((ms) => ({
        name: `${host.name}:resume after ${ms} ms`,
        make() {
          time.pass(ms);
          host.state = 'running';
        },
      })),
    );
  }

  return {
    crash,
    perform<T>(host: Host, { kind, effect, isReady = () => true, signal }: Performance<T>): Promise<T> {
      hosts.add(host);
      return new Promise<T>((resolve, reject) => {
        // What a dead process asks for never comes.
        if (host.state === 'crashed') return;
        if (signal?.aborted) return reject(signal.reason as Error);
        const operation: Operation = {
          host,
          kind,
          effect,
          isReady,
          resolve: resolve as (value: unknown) => void,
          reject,
          stalled: false,
          tookEffect: false,
        };
        pending.add(operation);
        signal?.addEventListener('abort', () => {
          if (!operation.tookEffect && pending.delete(operation)) reject(signal.reason as Error);
        });
      });
    },
    isPending: (host) => [...pending].some((operation) => operation.host === host),
    moves(withFaults) {
      const running = [...pending].filter(({ host, isReady }) => host.state === 'running' && isReady());
      const ready = running.filter(({ stalled }) => !stalled);
      const overdue = timerMoves(({ due }) => due <= time.monotonic());
      const now = [...ready.map(release), ...overdue, ...(withFaults ? ready.flatMap(faultsOf) : [])];
      if (now.length > 0) return now;
      const late = running.filter(({ stalled }) => stalled).map(release);
      return [...late, ...resumptions(), ...timerMoves(() => true)];
    },
  };
}
