// A process for each client, so that what one of them does to the compiler's guesses does not count for the others.
import { createTokenSource, type TokenResponse, type TokenSource } from '@unexpired/core';
import { measure } from 'mitata';
import { clients, type ClientName, type Send } from './clients.ts';
import { interleave, type Variants } from './harness.ts';
import { stubNetwork } from './network-stub.ts';
import { peers, peersOf, type Peer } from './peers.ts';
import { accessTokenFor } from './tokens.ts';

/** One client, or one peer that is a client of its own, or neither: `authorize`. */
export interface Asked {
  readonly client?: ClientName;
  readonly method?: 'GET' | 'POST';
  readonly peer?: string;
}

/** Microseconds for a request, by round. */
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
const FRESH: TokenResponse = {
  access_token: accessTokenFor(3600),
  refresh_token: 'rt',
  expires_in: 3600,
  token_type: 'Bearer',
};

async function freshSource(origins: string[] = [ORIGIN]): Promise<TokenSource> {
  const neverCalled = async (): Promise<TokenResponse> => {
    throw new Error('there is nothing to refresh');
  };
  const tokens = createTokenSource({ origins, refresh: neverCalled });
  await tokens.signIn(FRESH);
  await tokens.getAccessToken();
  return tokens;
}

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

function measureSends(sends: Record<string, Send>, json?: object): Promise<Rounds> {
  const variants = Object.entries(sends).map(([name, send]) => {
    const call = () => send(URL, json);
    return [name, async () => (await round(call)).p50 / 1000] as const;
  });
  return warm(Object.fromEntries(variants));
}

async function connectAll(chosen: readonly [string, Peer][]): Promise<Record<string, Send>> {
  const connected = chosen.map(async ([name, peer]) => [name, await peer.connect(PLACE, FRESH)] as const);
  return Object.fromEntries(await Promise.all(connected));
}

async function measureClient(client: ClientName, method: 'GET' | 'POST'): Promise<Rounds> {
  const bare = clients[client].bare(FRESH.access_token!);
  const unexpired = clients[client].ours(await freshSource());
  if (method === 'POST') return measureSends({ bare, unexpired }, JSON_BODY);
  return measureSends({ bare, unexpired, ...(await connectAll(peersOf(client))) });
}

async function measurePeer(name: string): Promise<Rounds> {
  const peer = peers[name]!;
  const bare = (peer.client as (accessToken: string) => Send)(FRESH.access_token!);
  return measureSends({ bare, ...(await connectAll([[name, peer]])) });
}

async function measureAuthorize(): Promise<Record<string, AuthorizeRounds>> {
  const many = Array.from({ length: 99 }, (_, index) => `https://api${index}.example.com`);
  const sources = {
    'one origin': await freshSource(),
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
const { client, method = 'GET', peer } = JSON.parse(process.argv[2]!) as Asked;
if (client !== undefined) process.send!(await measureClient(client, method));
else process.send!(await (peer === undefined ? measureAuthorize() : measurePeer(peer)));
