import { setTimeout as pause } from 'node:timers/promises';
import axios from 'axios';
import type { Api, Hold } from './api.ts';
import { BODY_KINDS, makeBody, type BodyKind } from './bodies.ts';
import type { Clients } from './clients.ts';
import { throughAxios, throughFetch, type Outcome, type Send } from './requests.ts';
import type { Tally } from './tally.ts';

/** Milliseconds of each read, and of the same read with a static token, sent in turn. */
export interface Latencies {
  readonly kept: number[];
  readonly fixed: number[];
}

export interface Traffic {
  /** Reads, posts, uploads, links and redirects through both clients until it is stopped. */
  steady(latencies?: Latencies): { stop(): Promise<void> };
  /** So many reads at once, half of them with each client. */
  burst(count: number): Promise<void>;
  /** The same with a token that does not expire. */
  staticBurst(count: number): Promise<void>;
  /** Reads and uploads of every kind that the API holds back. */
  held(name: string): { readonly hold: Hold; readonly count: number; readonly done: Promise<unknown> };
  /** A read whose connection the API resets, and which its caller sends again. */
  dropped(): Promise<void>;
}

export interface Surroundings {
  readonly tally: Tally;
  /** What went wrong for callers, by name. */
  readonly problems: Map<string, number>;
  readonly clients: Clients;
  readonly staticToken: string;
  readonly api: Api;
  readonly elsewhere: string;
}

const STEP_MS = 20;
const WORKERS = 2;

/** What one of the steady workers does, over and over. */
const STEPS = [
  'read',
  'json',
  'read',
  'multipart',
  'read',
  'stream',
  'read',
  'link',
  'read',
  'reopened',
  'read',
  'redirect',
] as const;

function isBodyKind(step: string): step is BodyKind {
  return (BODY_KINDS as readonly string[]).includes(step);
}

/** Counts what became of a call. */
function count({ tally, problems }: Surroundings, outcome: Outcome, digest: string | undefined): void {
  const note = (problem: string): unknown => problems.set(problem, (problems.get(problem) ?? 0) + 1);
  tally.requests += 1;
  if (outcome.status === 401) {
    tally.seenRefusals += 1;
  } else if (outcome.status !== 200) {
    tally.errors += 1;
    note(outcome.status === undefined ? outcome.code : `status ${outcome.status}`);
  } else if (digest !== undefined) {
    tally.bodies += 1;
    if (outcome.arrival.digest === digest) return;
    tally.differingBodies += 1;
    note('a body that arrived as something else');
  }
}

/** The two clients without anybody who keeps their token. */
function fixedSends(token: string): readonly Send[] {
  const headers = { authorization: `Bearer ${token}` };
  return [
    throughAxios(axios.create({ headers })),
    throughFetch((url, init) => fetch(url, { ...init, headers })),
  ];
}

export function createTraffic(around: Surroundings): Traffic {
  const { api, elsewhere, clients } = around;
  const sends = [throughAxios(clients.axios), throughFetch(clients.fetch)];
  const fixed = fixedSends(around.staticToken);
  let seed = 0;
  let turn = 0;

  async function call(send: Send, url: string, kind?: BodyKind): Promise<void> {
    const body = kind && (await makeBody(kind, (seed += 1)));
    count(around, await send(url, body), body?.digest);
  }

  async function timed(task: () => Promise<unknown>, into: number[] | undefined): Promise<void> {
    const startedAt = performance.now();
    await task();
    into?.push(performance.now() - startedAt);
  }

  async function step(client: number, name: (typeof STEPS)[number], latencies?: Latencies): Promise<void> {
    const send = sends[client]!;
    if (isBodyKind(name)) return call(send, `${api.origin}/upload`, name);
    if (name === 'link') return call(send, `${elsewhere}/linked`);
    if (name === 'redirect') return call(send, `${api.origin}/moved`);
    // By turns: the second of the two finds everything warm.
    const reads = [
      () => timed(() => call(send, `${api.origin}/read`), latencies?.kept),
      () => timed(() => fixed[client]!(`${api.origin}/read`), latencies?.fixed),
    ];
    turn += 1;
    for (const read of turn % 2 === 0 ? reads : reads.reverse()) await read();
  }

  return {
    steady(latencies) {
      let isOn = true;
      async function work(client: number, first: number): Promise<void> {
        for (let index = first; isOn; index += 1) {
          await step(client, STEPS[index % STEPS.length]!, latencies);
          await pause(STEP_MS);
        }
      }
      const workers = Array.from({ length: WORKERS * sends.length }, (_, index) =>
        work(index % sends.length, index * 3),
      );
      return {
        async stop() {
          isOn = false;
          await Promise.all(workers);
        },
      };
    },
    async burst(size) {
      const calls = Array.from({ length: size }, (_, index) => sends[index % sends.length]!);
      await Promise.all(calls.map((send) => call(send, `${api.origin}/read`)));
    },
    async staticBurst(size) {
      const calls = Array.from({ length: size }, (_, index) => fixed[index % fixed.length]!);
      await Promise.all(calls.map((send) => send(`${api.origin}/read`)));
    },
    held(name) {
      const hold = api.hold(name);
      const kinds = [undefined, undefined, ...BODY_KINDS];
      const calls = sends.flatMap((send) =>
        kinds.map((kind) => call(send, `${api.origin}/held?hold=${name}`, kind)),
      );
      return { hold, count: calls.length, done: Promise.all(calls) };
    },
    async dropped() {
      await Promise.all(
        sends.map(async (send) => {
          const url = `${api.origin}/read?drop=${(seed += 1)}`;
          await send(url);
          await call(send, url);
        }),
      );
    },
  };
}
