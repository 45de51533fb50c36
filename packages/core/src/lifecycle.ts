import type { Instant } from './clock.ts';
import {
  dueMs,
  leewayMs,
  lifetimeFor,
  oneShotTtlMs,
  ttlMs,
  wantedTtlMs,
  type Timing,
  type Validity,
} from './expiry.ts';
import { isRefusal, remainingMs, type Gate } from './gate.ts';

/** The access token as the decisions see it. */
export interface Held {
  readonly validity: Validity;
  /** A resource server refused exactly this token. */
  readonly refused: boolean;
}

/** What a caller asks for. */
export interface Want {
  readonly now: Instant;
  readonly timing: Timing;
  readonly minTtlMs?: number | undefined;
  /** The request's body cannot be sent twice. */
  readonly oneShot?: boolean | undefined;
  /** How long this caller would wait. */
  readonly patienceMs: number;
}

export type Decision =
  /** Take the token that is there. */
  | 'use'
  /** Take it, and start a refresh that nobody waits for. */
  | 'use-and-refresh'
  /** Wait for the one refresh, starting it if none is under way. */
  | 'wait'
  /** The gate is closed: fail with its error. */
  | 'fail';

/** Longer than this nobody waits for the end of a back-off. */
const LONGEST_BACK_OFF_WAIT_MS = 5000;

export function isUsable(held: Held | undefined, timing: Timing, now: Instant): held is Held {
  if (held === undefined || held.refused) return false;
  const lifetime = lifetimeFor(held.validity, timing);
  return ttlMs(held.validity, timing, now) > leewayMs(lifetime, timing);
}

/** Whether a refresh may be started now. */
export function isClosed(gate: Gate | undefined, usable: boolean, now: Instant): gate is Gate {
  return gate !== undefined && (usable || !gate.whileUsable) && remainingMs(gate, now) > 0;
}

function meetsWant(validity: Validity, want: Want): boolean {
  if (want.minTtlMs === undefined && !want.oneShot) return true;
  const lifetime = lifetimeFor(validity, want.timing);
  const asked = Math.max(want.minTtlMs ?? 0, want.oneShot ? oneShotTtlMs(lifetime) : 0);
  return ttlMs(validity, want.timing, want.now) >= wantedTtlMs(asked, lifetime);
}

/** The one rule of what a caller gets. A token that still works is served in every state of the gate. */
export function decide(held: Held | undefined, gate: Gate | undefined, want: Want): Decision {
  const { now } = want;
  const usable = isUsable(held, want.timing, now);
  const closed = isClosed(gate, usable, now);
  if (usable && (closed || meetsWant(held.validity, want))) {
    const due = ttlMs(held.validity, want.timing, now) < dueMs(held.validity, want.timing);
    return due && !closed ? 'use-and-refresh' : 'use';
  }
  if (!closed) return 'wait';
  const patience = Math.min(want.patienceMs, LONGEST_BACK_OFF_WAIT_MS);
  return !isRefusal(gate) && remainingMs(gate, now) <= patience ? 'wait' : 'fail';
}

export function freshness(
  held: Held | undefined,
  timing: Timing,
  now: Instant,
): 'none' | 'fresh' | 'due' | 'expired' {
  if (held === undefined) return 'none';
  if (!isUsable(held, timing, now)) return 'expired';
  return ttlMs(held.validity, timing, now) < dueMs(held.validity, timing) ? 'due' : 'fresh';
}
