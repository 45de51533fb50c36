import type { ClientName } from './clients.ts';

const NOTHING = {
  /** Calls by callers; an attempt that was repeated underneath counts once. */
  calls: 0,
  /** 401s the API sent, and those of them that were for a revoked access token. */
  refusals: 0,
  revokedRefusals: 0,
  /** 401s that reached a caller. */
  seenRefusals: 0,
  /** Calls that failed in any other way. */
  errors: 0,
  /** Uploads whose digest was compared, by kind and together, and those that arrived as something else. */
  json: 0,
  multipart: 0,
  stream: 0,
  reopened: 0,
  bodies: 0,
  differingBodies: 0,
  /** Reads while a refresh was kept back that had no reason to wait for it, and those that waited all the same. */
  probes: 0,
  waits: 0,
  /** Requests at an origin that must never see an access token, and those that carried one. */
  foreign: 0,
  leaks: 0,
  /** Requests to the token endpoint, and those that brought nothing and that no fault of the story explains. */
  exchanges: 0,
  unexplained: 0,
  refreshes: 0,
  /** Why the refreshes happened: the access token's time was up, it was revoked, or there was no reason. */
  expiries: 0,
  revocations: 0,
  needless: 0,
  /** Spent refresh tokens that were shown again: the provider ends the grant. */
  reuses: 0,
  /** Times a person had to sign in again to go on. */
  signIns: 0,
  /** What the story did: calls at once on an expired token, faults that struck. */
  burst: 0,
  drops: 0,
  resets: 0,
  shortOutages: 0,
  longOutages: 0,
};

export type Counts = Readonly<typeof NOTHING>;
export type CountName = keyof Counts;

/** Everything that happened, as the servers and the callers counted it: no part of it comes from a token library. */
export interface Tally {
  readonly all: Counts;
  /** The share of each client, of what happens to one. */
  readonly of: Readonly<Record<ClientName, Counts>>;
  add(name: CountName, client?: ClientName): void;
}

export function createTally(): Tally {
  const all = { ...NOTHING };
  const of = { axios: { ...NOTHING }, ky: { ...NOTHING }, got: { ...NOTHING }, fetch: { ...NOTHING } };
  return {
    all,
    of,
    add(name, client) {
      all[name] += 1;
      if (client !== undefined) of[client][name] += 1;
    },
  };
}

/** What was counted between two moments. */
export function since(before: Counts, after: Counts): Counts {
  const names = Object.keys(after) as CountName[];
  return Object.fromEntries(names.map((name) => [name, after[name] - before[name]])) as unknown as Counts;
}
