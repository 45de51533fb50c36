import { elapsedMs, type Instant } from './clock.ts';

/** When a token is refreshed, in milliseconds. */
export interface Timing {
  /**
   * Refresh in the background once the remaining lifetime (TTL) falls below this. Counts for at most half of the
   * lifetime; below the leeway it means no background refresh.
   * @default a quarter of the lifetime, at most 15 minutes, up to a fifth more by chance; or what the server's
   * `refresh_in` says
   */
  ttlThresholdMs?: number | undefined;
  /**
   * How long before its expiry a token is no longer used. Counts for at most half of the lifetime.
   * @default 5 % of the lifetime, at least 1 s (10 % of lifetimes below 10 s), at most 60 s
   */
  leewayMs?: number | undefined;
  /**
   * The lifetime of tokens whose response names none.
   * @default none: such a token is used until a resource server refuses it
   */
  assumedLifetimeMs?: number | undefined;
}

/** How long an access token lives, and since when. */
export interface Validity {
  /** When the request that brought it was sent. */
  readonly since: Instant;
  /** Undefined where the authorization server does not say. */
  readonly lifetimeMs: number | undefined;
  readonly refreshInMs: number | undefined;
  /** Issued, by its record, later than now: a stepped clock. Neither expired nor to be trusted for long. */
  readonly fromTheFuture: boolean;
  /** One draw of [0, 1) for each process and generation, so that processes that share a credential spread out. */
  readonly jitter: number;
}

const MINUTE = 60_000;

/** Infinity where the lifetime is not known. */
export function lifetimeFor(validity: Validity, timing: Timing): number {
  return validity.lifetimeMs ?? timing.assumedLifetimeMs ?? Number.POSITIVE_INFINITY;
}

export function ttlMs(validity: Validity, timing: Timing, now: Instant): number {
  return lifetimeFor(validity, timing) - elapsedMs(validity.since, now);
}

/** With this much time left or less, the token must not be used. */
export function leewayMs(lifetimeMs: number, timing: Timing): number {
  if (timing.leewayMs !== undefined) return Math.min(timing.leewayMs, lifetimeMs / 2);
  if (lifetimeMs === Number.POSITIVE_INFINITY) return 0;
  return Math.min(MINUTE, Math.max(0.05 * lifetimeMs, Math.min(1000, 0.1 * lifetimeMs)));
}

/** With less time left than this, the token should be refreshed in the background. */
export function dueMs(validity: Validity, timing: Timing): number {
  const lifetime = lifetimeFor(validity, timing);
  if (lifetime === Number.POSITIVE_INFINITY) return 0;
  if (validity.fromTheFuture) return Number.POSITIVE_INFINITY;
  if (timing.ttlThresholdMs !== undefined) return Math.min(timing.ttlThresholdMs, lifetime / 2);
  const { refreshInMs, jitter } = validity;
  if (refreshInMs !== undefined && refreshInMs < lifetime) {
    // A tenth of the lifetime passes between two background refreshes, whatever the server asks for.
    return Math.min(lifetime - refreshInMs * (1 - 0.05 * jitter), 0.9 * lifetime);
  }
  return Math.min(0.25 * lifetime, 15 * MINUTE) * (1 + 0.2 * jitter);
}

/** A caller cannot ask for more than a new token of the same lifetime could give. */
export function wantedTtlMs(minTtlMs: number, lifetimeMs: number): number {
  return Math.min(minTtlMs, 0.9 * lifetimeMs);
}

/** A body that cannot be sent twice wants a token that will not be refused. */
export function oneShotTtlMs(lifetimeMs: number): number {
  return Math.min(MINUTE, 0.2 * lifetimeMs);
}
