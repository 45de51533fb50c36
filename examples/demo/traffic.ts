import type { Api, Hold } from './api.ts';
import { BODY_KINDS, makeBody, type Body, type BodyKind } from './bodies.ts';
import type { Callers } from './callers.ts';
import { CLIENTS, type ClientName } from './clients.ts';
import type { Outcome } from './requests.ts';
import type { Tally } from './tally.ts';

/** What callers got instead of an answer, and how often through which client. */
export type Problems = Map<string, Record<ClientName, number>>;

export interface Surroundings {
  readonly tally: Tally;
  readonly problems: Problems;
  readonly callers: Pick<Callers, 'senders' | 'fixed'>;
  readonly api: Api;
  /** The other origin. */
  readonly elsewhere: string;
}

/** The callers: whoever uses the four clients, and what becomes of their calls. */
export interface Traffic {
  /** One call at the API; how it ended is counted. */
  call(client: ClientName, path: string, kind?: BodyKind): Promise<void>;
  /** The same with a token that does not expire; it is not counted. */
  fixed(client: ClientName, path: string): Promise<unknown>;
  /** A call at the other origin. */
  link(client: ClientName): Promise<void>;
  /** With each client reads and uploads of every kind, which the API holds back. */
  held(name: string): { readonly hold: Hold; readonly count: number; readonly done: Promise<unknown> };
  /** A read whose connection the API resets; its caller sends it again, where the client does not. */
  dropped(client: ClientName): Promise<void>;
}

/** Counts how calls end. */
function createCounter({ tally, problems }: Surroundings) {
  function note(client: ClientName, problem: string): void {
    const counts = problems.get(problem) ?? { axios: 0, ky: 0, got: 0, fetch: 0 };
    counts[client] += 1;
    problems.set(problem, counts);
  }
  return (client: ClientName, outcome: Outcome, body: Body | undefined): void => {
    tally.add('calls', client);
    if (outcome.status === 401) {
      tally.add('seenRefusals', client);
      note(client, 'status 401');
    } else if (outcome.status !== 200) {
      tally.add('errors', client);
      note(client, outcome.status === undefined ? outcome.code : `status ${outcome.status}`);
    } else if (body !== undefined) {
      tally.add('bodies', client);
      tally.add(body.kind, client);
      if (outcome.arrival.digest === body.digest) return;
      tally.add('differingBodies', client);
      note(client, 'a body that differed');
    }
  };
}

export function createTraffic(around: Surroundings): Traffic {
  const { api, elsewhere, callers } = around;
  const { senders, fixed } = callers;
  const count = createCounter(around);
  let seed = 0;

  async function call(client: ClientName, path: string, kind?: BodyKind): Promise<void> {
    const body = kind && (await makeBody(kind, (seed += 1)));
    count(client, await senders[client](api.origin + path, body), body);
  }
  return {
    call,
    fixed: (client, path) => fixed[client](api.origin + path),
    link: async (client) => count(client, await senders[client](`${elsewhere}/linked`), undefined),
    held(name) {
      const kinds = [undefined, undefined, ...BODY_KINDS];
      const hold = api.hold(name);
      const calls = CLIENTS.flatMap((client) =>
        kinds.map((kind) => call(client, `/held?hold=${name}`, kind)),
      );
      return { hold, count: calls.length, done: Promise.all(calls) };
    },
    async dropped(client) {
      const url = `${api.origin}/read?drop=${(seed += 1)}`;
      const first = await senders[client](url);
      count(client, first.status === undefined ? await senders[client](url) : first, undefined);
    },
  };
}

/** So many calls at once, as many with each client. */
export async function burst(size: number, call: (client: ClientName) => Promise<unknown>): Promise<void> {
  await Promise.all(Array.from({ length: size }, (_, index) => call(CLIENTS[index % CLIENTS.length]!)));
}
