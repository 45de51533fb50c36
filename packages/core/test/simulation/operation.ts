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

export interface Performance<T> {
  readonly kind: Kind;
  readonly effect: () => T;
  readonly isReady?: () => boolean;
  /** Gives the operation up. */
  readonly signal?: AbortSignal | undefined;
}

export interface Operation {
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

/** What is under way, and what the kernel does when a process dies. */
export interface Underway {
  readonly pending: Set<Operation>;
  readonly bury: (host: Host) => void;
}

/** Longer, with the pauses between attempts, than others wait for the lock. */
const OUTAGE_WRITES = 6;

const OWN_FAULTS: Readonly<Record<Kind, readonly FaultName[]>> = {
  read: ['fail', 'stall'],
  write: ['fail', 'fail-after', 'outage', 'stall', 'stall-after', 'stop-after'],
  lock: ['fail', 'stop-after'],
  unlock: [],
  send: ['fail', 'stall'],
  answer: ['fail', 'stall'],
  hint: [],
};

/** The faults that the operation, or its process, can meet now. */
export function faultsOf({ kind, tookEffect }: Operation): readonly FaultName[] {
  return ['crash', 'stop', ...(tookEffect ? [] : OWN_FAULTS[kind])];
}

function failureOf(kind: Kind): Error {
  const code = kind === 'send' || kind === 'answer' ? 'ECONNRESET' : 'EIO';
  return Object.assign(new Error(`simulated failure of ${kind}`), { code });
}

/** The operation that a process begins; it settles when it is released. */
export function begin<T>({ pending }: Underway, host: Host, performance: Performance<T>): Promise<T> {
  const { kind, effect, isReady = () => true, signal } = performance;
  return new Promise<T>((resolve, reject) => {
    // What a dead process asks for never comes.
    if (host.state === 'crashed') return;
    if (signal?.aborted) return reject(signal.reason as Error);
    const answer = resolve as (value: unknown) => void;
    const operation = {
      host,
      kind,
      effect,
      isReady,
      resolve: answer,
      reject,
      stalled: false,
      tookEffect: false,
    };
    pending.add(operation);
    signal?.addEventListener('abort', () => {
      if (!operation.tookEffect && pending.delete(operation)) reject(signal.reason as Error);
    });
  });
}

/** It takes effect, and its process hears of it. */
export function release({ pending }: Underway, operation: Operation): void {
  const { host, kind } = operation;
  pending.delete(operation);
  try {
    if (kind === 'write' && host.brokenWrites > 0) {
      host.brokenWrites -= 1;
      throw failureOf(kind);
    }
    operation.resolve(operation.effect());
  } catch (error) {
    operation.reject(error);
  }
}

/** The effect comes now, the answer later. */
function holdAnswer(operation: Operation): void {
  const value = operation.effect();
  Object.assign(operation, { isReady: () => true, effect: () => value, tookEffect: true });
}

function fail({ pending }: Underway, operation: Operation): void {
  pending.delete(operation);
  operation.reject(failureOf(operation.kind));
}

export function meetFault(underway: Underway, operation: Operation, name: FaultName): void {
  const { host } = operation;
  if (name.endsWith('-after')) holdAnswer(operation);
  switch (name) {
    case 'crash':
      return underway.bury(host);
    case 'stop':
    case 'stop-after':
      host.state = 'stopped';
      return;
    case 'stall':
    case 'stall-after':
      operation.stalled = true;
      return;
    case 'outage':
      host.brokenWrites = OUTAGE_WRITES;
      return fail(underway, operation);
    case 'fail':
    case 'fail-after':
      return fail(underway, operation);
  }
}
