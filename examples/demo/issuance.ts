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
  /** Revokes what was issued so far. */
  revokeAll(): void;
  isRevoked(id: string): boolean;
  /** A request with this access token came to the API. */
  arrived(id: string): void;
  /** How many requests in a row, up to the last, came with the newest access token. */
  settled(): number;
}

/**
 * A refresh before this part of the access token's life is over has no reason. A recipe that refreshes twice does so
 * much earlier and unexpired much later, so that a machine that stalls does not look like a broken promise.
 */
const EARLIEST = 0.25;

export function createIssuance(tally: Tally): Issuance {
  const generations = new Map<string, number>();
  let revoked = 0;
  let settled = 0;
  let newest: IssuedToken = { id: '', generation: 0, issuedAt: 0, lifetimeMs: 0 };

  function reasonFor(refreshedAt: number): 'revocations' | 'expiries' | 'needless' {
    if (newest.generation <= revoked) return 'revocations';
    return refreshedAt - newest.issuedAt >= EARLIEST * newest.lifetimeMs ? 'expiries' : 'needless';
  }
  function issue(token: Omit<IssuedToken, 'generation'>): void {
    newest = { ...token, generation: newest.generation + 1 };
    generations.set(newest.id, newest.generation);
    settled = 0;
  }
  return {
    newest: () => newest,
    issue,
    reissue(token) {
      tally.add('refreshes');
      tally.add(reasonFor(token.issuedAt));
      issue(token);
    },
    revokeAll: () => void (revoked = newest.generation),
    arrived(id) {
      // Those with the static token say nothing.
      if (generations.has(id)) settled = id === newest.id ? settled + 1 : 0;
    },
    settled: () => settled,
    isRevoked: (id) => generations.has(id) && generations.get(id)! <= revoked,
  };
}
