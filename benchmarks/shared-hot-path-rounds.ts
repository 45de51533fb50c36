// What a fresh token costs over each store, side by side in one process, and what it asks of the store and the system.
import { readFileSync } from 'node:fs';
import { createMemoryStore, createTokenSource, type TokenSource, type TokenStore } from '@unexpired/core';
import { measure } from 'mitata';
import { interleave } from './harness.ts';
import { openStore, type Meeting } from './locks.ts';
import { tokensFor } from './place.ts';

/** Nanoseconds by round. */
export interface StoreRounds {
  readonly authorizeNs: number[];
  readonly getAccessTokenNs: number[];
  /** What CALLS of each of the two made of them. */
  readonly storeCalls: number;
  readonly systemCalls: number;
}

const CALLS = 100_000;

const ROUNDS = 11;
const ORIGIN = 'https://api.example.com';
const REQUEST = { url: `${ORIGIN}/v1/items`, method: 'GET' };
const FRESH = tokensFor(3600);

/** Its methods are looked up for each call. */
function counted(store: TokenStore, count: () => void): TokenStore {
  return new Proxy(store, {
    get(target, name, receiver) {
      count();
      return Reflect.get(target, name, receiver) as unknown;
    },
  });
}

/** Reads and writes of this process so far, sockets and pipes included; Linux only. */
function systemCalls(): number {
  const text = readFileSync('/proc/self/io', 'utf8');
  const [, reads] = /^syscr: (\d+)$/m.exec(text) ?? [];
  const [, writes] = /^syscw: (\d+)$/m.exec(text) ?? [];
  return Number(reads) + Number(writes);
}

/** Without what the counting itself costs. */
async function systemCallsOf(run: () => Promise<void>): Promise<number> {
  const first = systemCalls();
  const second = systemCalls();
  await run();
  return systemCalls() - second - (second - first);
}

async function signedIn(store: TokenStore): Promise<TokenSource> {
  const source = createTokenSource({ origins: [ORIGIN], refresh: async () => FRESH, store });
  await source.signIn(FRESH);
  await source.getAccessToken();
  return source;
}

async function callBoth(source: TokenSource): Promise<void> {
  for (let left = CALLS; left > 0; left -= 1) {
    // No adapter awaits what is no promise.
    void source.authorize(REQUEST);
    await source.getAccessToken();
  }
}

async function measureAll(stores: Record<string, TokenStore>): Promise<Record<string, StoreRounds>> {
  let storeCalls = 0;
  const sources: Record<string, TokenSource> = {};
  for (const [name, store] of Object.entries(stores)) {
    sources[name] = await signedIn(counted(store, () => (storeCalls += 1)));
  }
  const roundsOf = (call: (source: TokenSource) => unknown): Promise<Record<string, number[]>> => {
    const options = { min_samples: 12, min_cpu_time: 0, batch_samples: 1024, gc: false } as const;
    const always = { batch_threshold: Number.POSITIVE_INFINITY, warmup_threshold: Number.POSITIVE_INFINITY };
    const round = async (source: TokenSource): Promise<number> =>
      (await measure(() => call(source), { ...options, ...always })).p50;
    const variants = Object.entries(sources).map(([name, source]) => [name, () => round(source)] as const);
    return interleave(Object.fromEntries(variants), ROUNDS);
  };
  const authorize = await roundsOf((source) => source.authorize(REQUEST));
  const getAccessToken = await roundsOf((source) => source.getAccessToken());
  const results: Record<string, StoreRounds> = {};
  for (const [name, source] of Object.entries(sources)) {
    storeCalls = 0;
    const made = await systemCallsOf(() => callBoth(source));
    results[name] = {
      authorizeNs: authorize[name]!,
      getAccessTokenNs: getAccessToken[name]!,
      storeCalls,
      systemCalls: made,
    };
  }
  return results;
}

const meeting = JSON.parse(process.argv[2]!) as Meeting;
process.send!(
  await measureAll({
    memory: createMemoryStore(),
    'store-file': await openStore('store-file', meeting),
    ...(meeting.redisSocket === undefined ? {} : { 'store-redis': await openStore('store-redis', meeting) }),
  }),
);
