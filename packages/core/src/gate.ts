import { elapsedMs, type Instant } from './clock.ts';
import type { AccessTokenError } from './errors.ts';
import type { Failure, FailureKind } from './failure.ts';

/**
 * The memory of a failed refresh: back-off, cool-down, dead, disabled and misconfigured are one shape. It keeps every
 * caller from repeating the failure until its time is over or another credential is there.
 */
export interface Gate {
  readonly since: Instant;
  /** Infinity: only another credential opens it. */
  readonly durationMs: number;
  readonly error: AccessTokenError;
  /** Fingerprint of the refresh token that failed, or the epoch where there is none. */
  readonly credential: string;
  /** Failed flights of this credential in a row. */
  readonly failures: number;
  /** It holds only as long as the access token works: the refresh token may have been spent by a lost answer. */
  readonly whileUsable: boolean;
  /** This refresh token was refused once: the next refusal is for good, whatever failed in between. */
  readonly refused: boolean;
}

export type Health = 'ok' | 'backing-off' | 'rejected' | 'signed-out' | 'disabled' | 'misconfigured';

export function remainingMs(gate: Gate, now: Instant): number {
  return Math.max(0, gate.durationMs - elapsedMs(gate.since, now));
}

/** Whether the refusal is about the credential or its set-up, so that waiting a moment does not help. */
export function isRefusal(gate: Gate): boolean {
  return gate.error.code !== 'ERR_REFRESH_FAILED';
}

export function healthOf(gate: Gate | undefined): Health {
  switch (gate?.error.code) {
    case undefined:
      return 'ok';
    case 'ERR_REAUTHENTICATION_REQUIRED':
      return 'signed-out';
    case 'ERR_REFRESH_REJECTED':
      return 'rejected';
    case 'ERR_ACCOUNT_DISABLED':
      return 'disabled';
    case 'ERR_MISCONFIGURED':
    case 'ERR_ACCOUNT_MISMATCH':
      return 'misconfigured';
    default:
      return 'backing-off';
  }
}

/** A refused refresh token is tried once more after this long: somebody may have rotated it, or the server erred. */
const COOL_DOWN_MS = 5 * 60_000;
const FIRST_BACK_OFF_MS = 500;
const LONGEST_BACK_OFF_MS = 60_000;
/** So many flights in a row that end puzzlingly are a rejection. */
const PUZZLED_FLIGHTS = 3;

/** What a gate is made from, beside the failure. */
export interface GateInputs {
  readonly credential: string;
  readonly previous: Gate | undefined;
  readonly now: Instant;
  /** One draw of [0, 1). */
  readonly jitter: number;
  /** The refresh token may be spent, and a repeat could end the grant while its access token still works. */
  readonly hold: boolean;
}

function wasRefused({ credential, previous }: GateInputs): boolean {
  return previous?.credential === credential && previous.refused;
}

function durationOf(failure: Failure, failures: number, jitter: number): number {
  switch (failure.kind) {
    case 'revoked':
    case 'disabled':
      return Number.POSITIVE_INFINITY;
    case 'refused':
    case 'rejected':
    case 'misconfigured':
    case 'other-account':
      return COOL_DOWN_MS;
    default: {
      // Full jitter; what the server asks for is waited for in full, and a little longer.
      const backOff = jitter * Math.min(FIRST_BACK_OFF_MS * 2 ** (failures - 1), LONGEST_BACK_OFF_MS);
      return failure.retryAfterMs === undefined ? backOff : failure.retryAfterMs * (1 + 0.1 * jitter);
    }
  }
}

/** What the failure means after those before it. */
function kindAfter({ kind }: Failure, failures: number, inputs: GateInputs): FailureKind {
  if (kind === 'puzzling' && failures >= PUZZLED_FLIGHTS) return 'rejected';
  return kind === 'refused' && wasRefused(inputs) ? 'revoked' : kind;
}

/** The gate that a failed flight closes. */
export function gateAfter(
  failure: Failure,
  errorFor: (judged: Failure) => AccessTokenError,
  inputs: GateInputs,
): Gate {
  const { credential, previous, now } = inputs;
  const failures = previous?.credential === credential ? previous.failures + 1 : 1;
  const kind = kindAfter(failure, failures, inputs);
  const judged: Failure = { ...failure, kind };
  const whileUsable = inputs.hold && kind !== 'rejected';
  const durationMs = whileUsable ? Number.POSITIVE_INFINITY : durationOf(judged, failures, inputs.jitter);
  const retryAfterMs = Number.isFinite(durationMs) ? durationMs : undefined;
  return {
    since: now,
    durationMs,
    error: errorFor({ ...judged, retryAfterMs }),
    credential,
    failures,
    whileUsable,
    refused: failure.kind === 'refused' || wasRefused(inputs),
  };
}
