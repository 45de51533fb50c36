import { setTimeout as sleep } from 'node:timers/promises';
import { EXCHANGE_MS, REQUESTS } from './burst.ts';
import { clients, type ClientName, type Send } from './clients.ts';
import { contendersFor, type Connect } from './contenders.ts';
import { crowd } from './crowd.ts';
import { interleave } from './harness.ts';

export interface Burst {
  /** With a valid token, and with an expired one, by round. */
  readonly validMs: number[];
  readonly waitingMs: number[];
  /** For one of the bursts with an expired token. */
  readonly exchanges: number;
  readonly served: number;
  /** Held for each request that waits, by round: what is left of rounds before may spoil one. */
  readonly bytes: number[];
}

export interface BurstsOfClient {
  readonly bareBytes: number[];
  readonly bursts: Record<string, Burst>;
}

const ROUNDS = 3;

const client = process.argv[2] as ClientName;
crowd.exchangeMs = EXCHANGE_MS;

function sendAll(send: Send): Promise<PromiseSettledResult<unknown>[]> {
  return Promise.allSettled(Array.from({ length: REQUESTS }, () => send(crowd.url)));
}

const servedOf = (results: readonly PromiseSettledResult<unknown>[]): number =>
  results.filter(({ status }) => status === 'fulfilled').length;

interface Round {
  readonly ms: number;
  readonly served: number;
  readonly exchanges: number;
}

async function burst(connect: Connect, expiresInSeconds: number): Promise<Round> {
  const send = await connect(crowd, crowd.tokens(expiresInSeconds));
  crowd.exchanges = 0;
  global.gc!();
  const start = performance.now();
  const results = await sendAll(send);
  const { exchanges } = crowd;
  return { ms: performance.now() - start, served: servedOf(results), exchanges };
}

/** What 10,000 requests hold while all of them wait. */
async function heldBytes(send: Send, hold: { isShut: boolean; release(): void }): Promise<number> {
  global.gc!();
  const before = process.memoryUsage().heapUsed;
  hold.isShut = true;
  const all = sendAll(send);
  await sleep(400);
  global.gc!();
  const bytes = (process.memoryUsage().heapUsed - before) / REQUESTS;
  hold.isShut = false;
  hold.release();
  await all;
  return bytes;
}

async function measureBursts(connect: Connect, times: number): Promise<Burst> {
  const rounds = await interleave(
    { valid: () => burst(connect, 3600), waiting: () => burst(connect, 0) },
    times,
  );
  const { served, exchanges } = rounds['waiting']![0]!;
  const held = async (): Promise<number> => heldBytes(await connect(crowd, crowd.tokens(0)), crowd.tokenHold);
  const { bytes } = await interleave({ bytes: held }, times);
  const ms = (name: string): number[] => rounds[name]!.map((each) => each.ms);
  return { validMs: ms('valid'), waitingMs: ms('waiting'), exchanges, served, bytes: bytes! };
}

const good = crowd.tokens().access_token!;
await burst(() => clients[client].bare(good), 3600);
const bare = (): Promise<number> => heldBytes(clients[client].bare(good), crowd.apiHold);
const { bareBytes } = await interleave({ bareBytes: bare }, ROUNDS);
const bursts: Record<string, Burst> = {};
for (const [name, connect] of contendersFor(client)) {
  // For peers, one round: nothing is claimed by their times.
  bursts[name] = await measureBursts(connect, name === 'unexpired' ? ROUNDS : 1);
}
process.send!({ bareBytes: bareBytes!, bursts } satisfies BurstsOfClient);
