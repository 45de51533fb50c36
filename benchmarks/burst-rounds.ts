import { setTimeout as sleep } from 'node:timers/promises';
import { EXCHANGE_MS, REQUESTS } from './burst.ts';
import { bareClients, type ClientName, type Send } from './clients.ts';
import { contendersFor, isOurs, type Connect, type Contender } from './contenders.ts';
import { crowd, type Hold } from './crowd.ts';
import { interleave } from './harness.ts';

export interface Burst {
  /** With a valid token, and with an expired one, by round. */
  readonly validMs: number[];
  readonly waitingMs: number[];
  /** For one of the bursts with an expired token. */
  readonly exchanges: number;
  readonly served: number;
  /** For each request that waits, by round: what is left of rounds before may spoil one. */
  readonly heldBytes: number[];
}

export interface BurstsOfClient {
  readonly bareBytes: number[];
  readonly bursts: Record<string, Burst>;
}

const ROUNDS = 3;
/** Nothing is claimed by their times. */
const ROUNDS_OF_PEERS = 1;
/** Fewer: what one of them holds does not depend on it. */
const HELD = 2000;

const client = process.argv[2] as ClientName;
crowd.exchangeMs = EXCHANGE_MS;

function sendAll(send: Send, count: number): Promise<PromiseSettledResult<unknown>[]> {
  return Promise.allSettled(Array.from({ length: count }, () => send(crowd.url)));
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
  const results = await sendAll(send, REQUESTS);
  const { exchanges } = crowd;
  return { ms: performance.now() - start, served: servedOf(results), exchanges };
}

async function settle(): Promise<void> {
  await sleep(100);
  global.gc!();
}

async function bytesHeldBy(send: Send, hold: Hold): Promise<number> {
  await settle();
  const before = process.memoryUsage().heapUsed;
  hold.isShut = true;
  const all = sendAll(send, HELD);
  await settle();
  const bytes = (process.memoryUsage().heapUsed - before) / HELD;
  hold.isShut = false;
  hold.release();
  await all;
  return bytes;
}

async function measure(contender: Contender): Promise<Burst> {
  const { connect } = contender;
  const held = async (): Promise<number> =>
    bytesHeldBy(await connect(crowd, crowd.tokens(0)), crowd.tokenHold);
  const { heldBytes } = await interleave({ heldBytes: held }, ROUNDS);
  const rounds = await interleave(
    { valid: () => burst(connect, 3600), waiting: () => burst(connect, 0) },
    isOurs(contender) ? ROUNDS : ROUNDS_OF_PEERS,
  );
  const { served, exchanges } = rounds['waiting']![0]!;
  const ms = (name: string): number[] => rounds[name]!.map((each) => each.ms);
  return { validMs: ms('valid'), waitingMs: ms('waiting'), exchanges, served, heldBytes: heldBytes! };
}

const bare = bareClients[client](crowd.tokens().access_token!);
await sendAll(bare, HELD);
const { bareBytes } = await interleave({ bareBytes: () => bytesHeldBy(bare, crowd.apiHold) }, ROUNDS);
const bursts: Record<string, Burst> = {};
for (const contender of contendersFor(client)) {
  bursts[contender.name] = await measure(contender);
}
process.send!({ bareBytes: bareBytes!, bursts } satisfies BurstsOfClient);
