// A process for each client, so that what one of them does to the compiler's guesses does not count for the others.
import { createTokenSource, type TokenSource } from '@unexpired/core';
import { measure } from 'mitata';
import { bareClients, type ClientName, type Send } from './clients.ts';
import { contendersFor, isOurs } from './contenders.ts';
import { interleave, type Variants } from './harness.ts';
import { stubNetwork } from './network-stub.ts';
import { tokensFor } from './place.ts';

/** Requests through one client, or `authorize` by itself. */
export type Asked = { readonly client: ClientName; readonly method: 'GET' | 'POST' } | 'authorize';

/** Microseconds for a request, by contender and round. */
export type Rounds = Record<string, number[]>;

export interface AuthorizeRounds {
  readonly ns: number[];
  readonly emptyNs: number[];
  readonly bytes: number[];
  readonly isPromise: boolean;
}

const ROUNDS = 11;
const WARM_UP = 2;

const ORIGIN = 'https://api.example.com';
const URL = `${ORIGIN}/v1/items`;
const PLACE = { api: ORIGIN, tokenEndpoint: 'https://id.example.com/token' };
const JSON_BODY = { name: 'x'.repeat(188) };
const FRESH = tokensFor(3600);

/** One short round; the median of its samples leaves out those that a garbage collection hit. */
function round(
  call: () => unknown,
  options: { batch_samples?: number; heap?: () => number } = {},
): ReturnType<typeof measure> {
  const samples = { min_samples: 12, min_cpu_time: 0, batch_samples: 64 };
  const always = { batch_threshold: Number.POSITIVE_INFINITY, warmup_threshold: Number.POSITIVE_INFINITY };
  return measure(call, { ...samples, ...always, gc: false, ...options });
}

async function warm<T>(variants: Variants<T>): Promise<Record<string, T[]>> {
  await interleave(variants, WARM_UP);
  return interleave(variants, ROUNDS);
}

async function measureClient(client: ClientName, body: object | undefined): Promise<Rounds> {
  const sends: Record<string, Send> = { bare: bareClients[client](FRESH.access_token) };
  const chosen = contendersFor(client).filter((contender) => body === undefined || isOurs(contender));
  for (const { name, connect } of chosen) sends[name] = await connect(PLACE, FRESH);
  const variants = Object.entries(sends).map(([name, send]) => {
    const call = () => send(URL, body);
    return [name, async () => (await round(call)).p50 / 1000] as const;
  });
  return warm(Object.fromEntries(variants));
}

async function freshSource(origins: string[]): Promise<TokenSource> {
  const tokens = createTokenSource({ origins, refresh: async () => FRESH });
  await tokens.signIn(FRESH);
  await tokens.getAccessToken();
  return tokens;
}

async function measureAuthorize(): Promise<Record<string, AuthorizeRounds>> {
  const many = Array.from({ length: 99 }, (_, index) => `https://api${index}.example.com`);
  const sources = {
    'one origin': await freshSource([ORIGIN]),
    'the last of 100 origins': await freshSource([...many, ORIGIN]),
  };
  const request = { url: URL, method: 'GET' };
  const heap = (): number => process.memoryUsage().heapUsed;
  const result: Record<string, AuthorizeRounds> = {};
  for (const [name, tokens] of Object.entries(sources)) {
    const variants = {
      empty: () => round(() => request, { batch_samples: 1024 }),
      ours: () => round(() => tokens.authorize(request), { batch_samples: 1024 }),
      bytes: () => round(() => tokens.authorize(request), { batch_samples: 1024, heap }),
    };
    const { ours, empty, bytes } = await warm(variants);
    result[name] = {
      ns: ours!.map(({ p50 }) => p50),
      emptyNs: empty!.map(({ p50 }) => p50),
      bytes: bytes!.map((stats) => stats.heap!.avg),
      isPromise: tokens.authorize(request) instanceof Promise,
    };
  }
  return result;
}

stubNetwork(() => ({ status: 200 }));
const asked = JSON.parse(process.argv[2]!) as Asked;
if (asked === 'authorize') process.send!(await measureAuthorize());
else process.send!(await measureClient(asked.client, asked.method === 'POST' ? JSON_BODY : undefined));
