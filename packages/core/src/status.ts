import { instantOf } from './clock.ts';
import { fingerprintOfRecord } from './credential.ts';
import type { AccessTokenError } from './errors.ts';
import { held, type SourceState } from './acquire.ts';
import { lifetimeFor } from './expiry.ts';
import { healthOf, remainingMs, type Health } from './gate.ts';
import { freshness } from './lifecycle.ts';

/** The state of a credential, without a secret. */
export interface TokenSourceStatus {
  readonly accessToken: 'none' | 'fresh' | 'due' | 'expired';
  readonly refreshing: boolean;
  readonly health: Health;
  /** Whether the store has what memory has. */
  readonly durability: 'clean' | 'dirty' | 'unreadable';
  /** Epoch ms; undefined where the lifetime is not known. */
  readonly expiresAt: number | undefined;
  readonly generation: number;
  /** The first 12 hex digits of the access token's SHA-256. */
  readonly fingerprint: string | undefined;
  /** When the next attempt is allowed, epoch ms; undefined: now, or never without a sign-in. */
  readonly retryAt: number | undefined;
  readonly lastError: AccessTokenError | undefined;
}

function statusOf(state: SourceState): TokenSourceStatus {
  const { credential, means } = state;
  const { timing } = means;
  const { gate, snapshot, unreadable, unwritten } = credential;
  const now = instantOf(credential.clock);
  const token = held(credential);
  const closedForMs = gate === undefined ? 0 : remainingMs(gate, now);
  const issuedAt = token?.record.issuedAt;
  const expiresAt =
    token && issuedAt !== undefined ? issuedAt + lifetimeFor(token.validity, timing) : undefined;
  return {
    accessToken: freshness(token, timing, now),
    refreshing: credential.flight !== undefined,
    health: closedForMs > 0 ? healthOf(gate) : 'ok',
    durability: unwritten !== undefined ? 'dirty' : unreadable ? 'unreadable' : 'clean',
    expiresAt: Number.isFinite(expiresAt) ? expiresAt : undefined,
    generation: snapshot?.record.generation ?? 0,
    fingerprint: fingerprintOfRecord(snapshot?.record),
    retryAt: closedForMs > 0 && Number.isFinite(closedForMs) ? now.wall + closedForMs : undefined,
    lastError: credential.lastError,
  };
}

/** The same frozen object as long as nothing changed: what a view compares by identity. */
export function createStatus(state: SourceState): () => TokenSourceStatus {
  let last: TokenSourceStatus | undefined;
  return () => {
    const next = statusOf(state);
    const names = Object.keys(next) as (keyof TokenSourceStatus)[];
    // A moment that only the reading of two clocks moved is the same moment.
    const same =
      last !== undefined &&
      names.every((name) =>
        name === 'retryAt' && last!.retryAt !== undefined && next.retryAt !== undefined
          ? Math.abs(last!.retryAt - next.retryAt) < 5
          : Object.is(last![name], next[name]),
      );
    if (!same) last = Object.freeze(next);
    return last!;
  };
}
