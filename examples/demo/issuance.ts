import type { Tally } from './tally.ts';

/** The access token that was issued last. */
export interface IssuedToken {
  readonly id: string;
  readonly generation: number;
  readonly issuedAt: number;
  readonly lifetimeMs: number;
}

/** Which access tokens were issued, and whether there was a reason for each. */
export interface Issuance {
  newest(): IssuedToken;
  /** After a sign-in. */
  issue(token: Omit<IssuedToken, 'generation'>): void;
  /** After a refresh: the one before it must have been due, or revoked. */
  reissue(token: Omit<IssuedToken, 'generation'>): void;
  revokeNewest(): void;
  isRevoked(id: string): boolean;
}

/**
 * A refresh before this part of the access token's life is over has no reason. A recipe that refreshes twice does so
 * much earlier and unexpired much later, so that a machine that stalls does not look like a broken promise.
 */
const EARLIEST = 0.25;

export function createIssuance(tally: Tally): Issuance {
  const revoked = new Set<string>();
  let newest: IssuedToken = { id: '', generation: 0, issuedAt: 0, lifetimeMs: 0 };

  function reasonFor(refreshedAt: number): 'revocations' | 'expiries' | 'needless' {
    if (revoked.has(newest.id)) return 'revocations';
    return refreshedAt - newest.issuedAt >= EARLIEST * newest.lifetimeMs ? 'expiries' : 'needless';
  }
  function issue(token: Omit<IssuedToken, 'generation'>): void {
    newest = { ...token, generation: newest.generation + 1 };
  }
  return {
    newest: () => newest,
    issue,
    reissue(token) {
      tally.refreshes += 1;
      tally[reasonFor(token.issuedAt)] += 1;
      issue(token);
    },
    revokeNewest: () => void revoked.add(newest.id),
    isRevoked: (id) => revoked.has(id),
  };
}
