import {
  begin,
  faultsOf,
  meetFault,
  release,
  type FaultName,
  type Host,
  type Kind,
  type Operation,
  type Performance,
} from './operation.ts';
import type { SimulatedTime, Timer } from './time.ts';

/** Something the simulation may do next. */
export interface Move {
  readonly name: string;
  /** When it happens, by the monotonic clock; undefined: now. */
  readonly at?: number;
  readonly fault?: { readonly name: FaultName; readonly kind: Kind; readonly host: Host };
  make(): void;
}

export interface Scheduler {
  /** Waits until the operation is released, with what its effect returns then. */
  perform<T>(host: Host, performance: Performance<T>): Promise<T>;
  /** What could happen next; faults only if asked for. */
  moves(withFaults: boolean): Move[];
  crash(host: Host): void;
}

/** A stopped process may sleep so long that all of its time limits are over when it goes on. */
const LONG_STOP_MS = 20_000;

function timerMoves(time: SimulatedTime, hosts: readonly Host[], isDue: (timer: Timer) => boolean): Move[] {
  const running = hosts.filter(({ state }) => state === 'running').map(({ name }) => name);
  const due = [...time.timers].filter((timer) => running.includes(timer.owner) && isDue(timer));
  const first = Math.min(...due.map((timer) => timer.due));
  return due
    .filter((timer) => timer.due === first)
    .map((timer) => ({ name: `${timer.owner}:timer`, at: timer.due, make: () => time.fire(timer) }));
}

function resumptions(time: SimulatedTime, hosts: readonly Host[]): Move[] {
  const stopped = hosts.filter(({ state }) => state === 'stopped');
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

export function createScheduler(time: SimulatedTime, freeLock: (host: Host) => void): Scheduler {
  const pending = new Set<Operation>();
  const hosts = new Set<Host>();
  const underway = { pending, bury: crash };

  function crash(host: Host): void {
    host.state = 'crashed';
    for (const operation of pending) if (operation.host === host) pending.delete(operation);
    time.discard(host.name);
    freeLock(host);
  }
  function releaseOf(operation: Operation): Move {
    const { host, kind, stalled } = operation;
    const name = `${host.name}:${kind}${stalled ? ' at last' : ''}`;
    return { name, make: () => release(underway, operation) };
  }
  function faultMoves(operation: Operation): Move[] {
    const { host, kind } = operation;
    return faultsOf(operation).map((name) => ({
      name: `${host.name}:${kind} ${name}`,
      fault: { name, kind, host },
      make: () => meetFault(underway, operation, name),
    }));
  }
  return {
    crash,
    perform(host, performance) {
      hosts.add(host);
      return begin(underway, host, performance);
    },
    moves(withFaults) {
      const all = [...hosts];
      const running = [...pending].filter(({ host, isReady }) => host.state === 'running' && isReady());
      const ready = running.filter(({ stalled }) => !stalled);
      const overdue = timerMoves(time, all, ({ due }) => due <= time.monotonic());
      const now = [...ready.map(releaseOf), ...overdue, ...(withFaults ? ready.flatMap(faultMoves) : [])];
      if (now.length > 0) return now;
      // What was delayed may go on whenever nothing else can, or later.
      const late = running.filter(({ stalled }) => stalled).map(releaseOf);
      return [...late, ...resumptions(time, all), ...timerMoves(time, all, () => true)];
    },
  };
}
