/** Everything that happened, as the servers and the callers counted it: no part of it comes from a token library. */
export interface Tally {
  /** Calls by callers; an attempt that was repeated underneath counts once. */
  requests: number;
  /** 401s the API sent. */
  refusals: number;
  /** 401s that reached a caller. */
  seenRefusals: number;
  /** Calls that failed in any other way. */
  errors: number;
  /** Uploads whose digest was compared, and those that arrived as something else. */
  bodies: number;
  differingBodies: number;
  /** Requests to the token endpoint, and those that brought tokens. */
  exchanges: number;
  refreshes: number;
  /** Why the refreshes happened: the access token's time was up, it was revoked, or there was no reason. */
  expiries: number;
  revocations: number;
  needless: number;
  /** Spent refresh tokens that were shown again: the provider ends the grant. */
  reuses: number;
  /** Times a person had to sign in again to go on. */
  signIns: number;
  /** Requests at an origin that must never see an access token, and those that carried one. */
  foreign: number;
  leaks: number;
}

export function createTally(): Tally {
  return {
    requests: 0,
    refusals: 0,
    seenRefusals: 0,
    errors: 0,
    bodies: 0,
    differingBodies: 0,
    exchanges: 0,
    refreshes: 0,
    expiries: 0,
    revocations: 0,
    needless: 0,
    reuses: 0,
    signIns: 0,
    foreign: 0,
    leaks: 0,
  };
}

/** What was counted between two moments. */
export function since(before: Tally, after: Tally): Tally {
  const names = Object.keys(after) as (keyof Tally)[];
  return Object.fromEntries(names.map((name) => [name, after[name] - before[name]])) as unknown as Tally;
}
