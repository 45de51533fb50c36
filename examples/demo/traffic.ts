import axios from 'axios';
import type { Api, Hold } from './api.ts';
import { BODY_KINDS, makeBody, type Body, type BodyKind } from './bodies.ts';
import type { Clients } from './clients.ts';
import { throughAxios, throughFetch, type Outcome, type Send } from './requests.ts';
import type { Tally } from './tally.ts';

export interface Surroundings {
  readonly tally: Tally;
  /** What went wrong for callers, by name. */
  readonly problems: Map<string, number>;
  readonly clients: Clients;
  readonly staticToken: string;
  readonly api: Api;
  /** The other origin. */
  readonly elsewhere: string;
}

/** The callers: whoever uses the two clients, and what becomes of their calls. */
export interface Traffic {
  readonly api: string;
  readonly elsewhere: string;
  /** axios and fetch. */
  readonly sends: readonly Send[];
  /** The same two with a token that does not expire. */
  readonly fixed: readonly Send[];
  /** One call; how it ended is counted. */
  readonly call: (send: Send, url: string, kind?: BodyKind) => Promise<void>;
  /** Reads and uploads of every kind that the API holds back. */
  held(name: string): { readonly hold: Hold; readonly count: number; readonly done: Promise<unknown> };
  /** With each client a read whose connection the API resets, and which its caller sends again. */
  dropped(): Promise<void>;
}

function count({ tally, problems }: Surroundings, outcome: Outcome, body: Body | undefined): void {
  const note = (problem: string): unknown => problems.set(problem, (problems.get(problem) ?? 0) + 1);
  tally.requests += 1;
  if (outcome.status === 401) {
    tally.seenRefusals += 1;
    note('status 401');
  } else if (outcome.status !== 200) {
    tally.errors += 1;
    note(outcome.status === undefined ? outcome.code : `status ${outcome.status}`);
  } else if (body !== undefined) {
    tally.bodies += 1;
    tally[body.kind] += 1;
    if (outcome.arrival.digest === body.digest) return;
    tally.differingBodies += 1;
    note('a body that arrived as something else');
  }
}

function fixedSends(token: string): readonly Send[] {
  const headers = { authorization: `Bearer ${token}` };
  return [
    throughAxios(axios.create({ headers })),
    throughFetch((url, init) => fetch(url, { ...init, headers })),
  ];
}

export function createTraffic(around: Surroundings): Traffic {
  const { api, elsewhere, clients, staticToken } = around;
  const sends = [throughAxios(clients.axios), throughFetch(clients.fetch)];
  let seed = 0;

  async function call(send: Send, url: string, kind?: BodyKind): Promise<void> {
    const body = kind && (await makeBody(kind, (seed += 1)));
    count(around, await send(url, body), body);
  }
  async function dropped(send: Send): Promise<void> {
    const url = `${api.origin}/read?drop=${(seed += 1)}`;
    await send(url);
    await call(send, url);
  }
  return {
    api: api.origin,
    elsewhere,
    sends,
    fixed: fixedSends(staticToken),
    call,
    held(name) {
      const kinds = [undefined, undefined, ...BODY_KINDS];
      const hold = api.hold(name);
      const url = `${api.origin}/held?hold=${name}`;
      const calls = sends.flatMap((send) => kinds.map((kind) => call(send, url, kind)));
      return { hold, count: calls.length, done: Promise.all(calls) };
    },
    dropped: async () => void (await Promise.all(sends.map(dropped))),
  };
}

/** So many calls at once, half of them with each client. */
export async function burst<T>(
  sends: readonly Send[],
  size: number,
  call: (send: Send) => Promise<T>,
): Promise<void> {
  await Promise.all(Array.from({ length: size }, (_, index) => call(sends[index % sends.length]!)));
}
