import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { ExclusiveSection } from '@unexpired/core';
import { afterReading, type Command, type Send } from './commands.ts';
import { hintOf, type Follow } from './hints.ts';
import type { Keys } from './keys.ts';
import { ACQUIRE, EXTEND, RELEASE } from './scripts.ts';

/** The lease of one account, while it is held. */
export interface Lease {
  /** Drawn anew for each holding. */
  readonly id: string;
  readonly section: ExclusiveSection;
  readonly lose: () => void;
  readonly release: () => Promise<void>;
}

export interface LeaseMeans {
  readonly send: Send;
  readonly follow: Follow | undefined;
  readonly leaseMs: number;
}

interface Answer {
  readonly isHeld: boolean;
  /** Monotonic; the server began to count later than this. */
  readonly sentAt: number;
  /** The server's clock less the monotonic one of this process. */
  readonly offsetMs: number;
}

type Order = Pick<Command, 'signal' | 'onLate'>;

async function ask(
  { send, leaseMs }: LeaseMeans,
  command: { readonly script: string; readonly keys: Keys; readonly id: string },
  order: Order = {},
): Promise<Answer> {
  const { script, keys, id } = command;
  const sentAt = performance.now();
  const answer = await send({ script, keys: [keys.lease], values: [id, leaseMs], ...order });
  const [held, seconds, micros] = answer as readonly unknown[];
  const midpoint = (sentAt + performance.now()) / 2;
  const offsetMs = Number(seconds) * 1000 + Number(micros) / 1000 - midpoint;
  return { isHeld: String(held) === 'yes', sentAt, offsetMs };
}

async function release({ send }: LeaseMeans, keys: Keys, id: string): Promise<void> {
  try {
    await send({
      script: RELEASE,
      keys: [keys.lease],
      values: [id, keys.channel, hintOf(keys.released, '')],
    });
  } catch {
    // It ends by itself.
  }
}

/** A lease is given up so long before the server gives it to another. */
const marginOf = (leaseMs: number): number => leaseMs / 10;

/** Extends the lease until it is released or lost. */
function hold(means: LeaseMeans, keys: Keys, { id, ...first }: Answer & { readonly id: string }): Lease {
  const { leaseMs } = means;
  const lost = new AbortController();
  let last: Answer = first;
  let beat: NodeJS.Timeout | undefined;
  let end: NodeJS.Timeout | undefined;
  let isOver = false;

  const stop = (): void => {
    isOver = true;
    clearTimeout(beat);
    clearTimeout(end);
  };
  const lose = (): void => {
    if (isOver) return;
    stop();
    lost.abort(new DOMException('The lease in Redis was lost', 'AbortError'));
  };
  const endsAt = (): number => last.sentAt + leaseMs - marginOf(leaseMs);
  const check = async (order?: Order): Promise<void> => {
    const answer = await ask(means, { script: EXTEND, keys, id }, order);
    if (!answer.isHeld) lose();
    else if (!isOver) schedule(answer);
  };
  // Without an answer the lease is as good as its last extension.
  const extend = (): void => void check().catch(() => undefined);
  const onEnd = (): void => {
    if (isOver) return;
    // It was extended in this turn, or the timer was early, as timers may be by a little.
    if (performance.now() < endsAt()) return watch();
    // Also what a halted process finds when it wakes: the server knows whose the lease is.
    check({ signal: AbortSignal.timeout(marginOf(leaseMs) / 2) }).catch(lose);
  };
  const watch = (): void => {
    clearTimeout(end);
    end = afterReading(onEnd, Math.max(endsAt() - performance.now(), 0)).unref();
  };
  const schedule = (answer: Answer): void => {
    last = answer;
    clearTimeout(beat);
    beat = setInterval(extend, leaseMs / 3).unref();
    watch();
  };
  schedule(first);
  return {
    id,
    section: {
      signal: lost.signal,
      clock: { now: () => performance.now() + last.offsetMs },
      check: () => check(),
    },
    lose,
    release() {
      stop();
      return release(means, keys, id);
    },
  };
}

/** Waits until the channel speaks, at most for a moment that differs each time, so that waiters do not march in step. */
async function pause(hinted: Promise<void>, signal: AbortSignal): Promise<void> {
  const stop = new AbortController();
  const ends = AbortSignal.any([signal, stop.signal]);
  try {
    await Promise.race([hinted, delay(50 + Math.random() * 100, undefined, { signal: ends })]);
  } catch {
    signal.throwIfAborted();
  } finally {
    stop.abort();
  }
}

async function tryAcquire(
  means: LeaseMeans,
  keys: Keys,
  signal: AbortSignal,
): Promise<(Answer & { readonly id: string }) | undefined> {
  const id = randomUUID();
  // Whatever comes of a command without an answer: what it took is given back, also where it runs after this.
  const giveBack = (): void => void release(means, keys, id);
  const asking = ask(means, { script: ACQUIRE, keys, id }, { signal, onLate: giveBack });
  asking.catch(giveBack);
  const answer = await asking;
  if (!answer.isHeld) return undefined;
  if (performance.now() - answer.sentAt < means.leaseMs - marginOf(means.leaseMs)) return { ...answer, id };
  giveBack();
  return undefined;
}

/** Waits for the lease of an account. Rejects with the signal's reason once it aborts, or where Redis fails. */
export async function acquireLease(means: LeaseMeans, keys: Keys, signal: AbortSignal): Promise<Lease> {
  let wake = (): void => undefined;
  let stop: (() => void) | undefined;
  try {
    for (;;) {
      const taken = await tryAcquire(means, keys, signal);
      if (taken !== undefined) return hold(means, keys, taken);
      stop ??= means.follow?.(keys.released, () => wake());
      await pause(new Promise((resolve) => (wake = resolve)), signal);
    }
  } finally {
    stop?.();
  }
}
