import type { BodyKind } from './bodies.ts';

/** Everything that happened, as the servers and the callers counted it: no part of it comes from a token library. */
export interface Tally extends Record<BodyKind, number> {
  /** Calls by callers; an attempt that was repeated underneath counts once. */
  requests: number;
  /** 401s the API sent. */
  refusals: number;
  /** 401s that reached a caller. */
  seenRefusals: number;
  /** Calls that failed in any other way. */
  errors: number;
  /** Uploads whose digest was compared, here together and above by kind, and those that arrived as something else. */
  bodies: number;
  differingBodies: number;
  /** Requests to the token endpoint, and those that brought tokens. */
  exchanges: number;
  refreshes: number;
  /** Requests to the token endpoint that brought nothing and that no fault of the story explains. */
  unexplained: number;
  /** Reads while a refresh was kept back and the access token was good, and those that waited all the same. */
  probes: number;
  waits: number;
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
  /** What the story did: requests at once on an expired token, 401s for a revoked one, faults that struck. */
  burst: number;
  revokedRefusals: number;
  drops: number;
  resets: number;
  shortOutages: number;
  longOutages: number;
}

export function createTally(): Tally {
  return {
    requests: 0,
    refusals: 0,
    seenRefusals: 0,
    errors: 0,
    json: 0,
    multipart: 0,
    stream: 0,
    reopened: 0,
    bodies: 0,
    differingBodies: 0,
    exchanges: 0,
    refreshes: 0,
    unexplained: 0,
    probes: 0,
    waits: 0,
    expiries: 0,
    revocations: 0,
    needless: 0,
    reuses: 0,
    signIns: 0,
    foreign: 0,
    leaks: 0,
    burst: 0,
    revokedRefusals: 0,
    drops: 0,
    resets: 0,
    shortOutages: 0,
    longOutages: 0,
  };
}

/** What was counted between two moments. */
export function since(before: Tally, after: Tally): Tally {
  const names = Object.keys(after) as (keyof Tally)[];
  return Object.fromEntries(names.map((name) => [name, after[name] - before[name]])) as unknown as Tally;
}
