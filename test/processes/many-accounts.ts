// A token source for each of many accounts; all of them are refreshed, again and again.
import { createMemoryStore, createTokenSource, type TokenSource } from '@unexpired/core';

const API = 'https://api.example.com';
const [count, rounds] = process.argv.slice(2).map(Number) as [number, number];
const store = createMemoryStore();
let exchanges = 0;
let running = 0;
let most = 0;

async function refresh(): Promise<{ access_token: string; refresh_token: string; expires_in: number }> {
  exchanges += 1;
  running += 1;
  most = Math.max(most, running);
  await new Promise(setImmediate);
  running -= 1;
  return { access_token: `access-${exchanges}`, refresh_token: `refresh-${exchanges}`, expires_in: 3600 };
}

/** A 401, and the replay. */
async function refuse(source: TokenSource): Promise<void> {
  const sent = await source.authorize({ url: API, method: 'GET' });
  const refusal = { url: API, status: 401, header: () => undefined };
  const replay = await source.reauthorize(sent!, refusal, { replayable: true });
  source.settled(replay!, 200);
}

async function heapBytes(): Promise<number> {
  await new Promise(setImmediate);
  global.gc!();
  return process.memoryUsage().heapUsed;
}

const sources = Array.from({ length: count }, (_, number) =>
  createTokenSource({
    origins: [API],
    refresh,
    store,
    account: `account-${number}`,
    tokens: { refresh_token: 'first' },
  }),
);
await Promise.all(sources.map((source) => source.getAccessToken()));
const heaps: number[] = [];
for (let round = 0; round < rounds; round += 1) {
  await Promise.all(sources.map(refuse));
  heaps.push(await heapBytes());
}
const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
await Promise.all(sources.map((source) => source.close()));
sources.length = 0;
process.stdout.write(JSON.stringify({ exchanges, most, timers, heaps, closed: await heapBytes() }));
