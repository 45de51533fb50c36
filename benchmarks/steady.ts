import { setTimeout as sleep } from 'node:timers/promises';
import { ALL_CLIENTS, bareClients, type Send } from './clients.ts';
import { contendersFor, isOurs, type Contender } from './contenders.ts';
import { median, quantile, ratio, verdict, type Row, type Table } from './harness.ts';
import { STATIC_TOKEN } from './place.ts';
import { limitConnections, startServer, type Server } from './servers.ts';

const PER_SECOND = 200;
const SECONDS = 7;
const EXPIRES_IN_SECONDS = 3;
const EXCHANGE_MS = 300;
const RATIO_TARGET = 1.1;

/** One expiry is enough to see what a peer does at it. */
const SECONDS_OF_PEERS = 4;

/** They refresh a fixed time before expiry, which is longer than these tokens live; azure's wants https besides. */
const LEFT_OUT = new Set(['axios-jwt', 'google-auth-library', '@azure/core-rest-pipeline']);

/** The milliseconds of all requests, in the order in which they were sent. */
interface Latencies {
  readonly bare: number[];
  readonly other: number[];
}

async function timed(send: Send, url: string): Promise<number> {
  const start = performance.now();
  await send(url).catch(() => undefined);
  return performance.now() - start;
}

/** Both at the same moments, so that whatever else the machine does hurts both. */
async function load(sends: Record<'bare' | 'other', Send>, url: string, seconds: number): Promise<Latencies> {
  const bare: Promise<number>[] = [];
  const other: Promise<number>[] = [];
  const start = performance.now();
  for (let sent = 0; sent < PER_SECOND * seconds; sent += 1) {
    const order = sent % 2 === 0 ? (['bare', 'other'] as const) : (['other', 'bare'] as const);
    for (const name of order) (name === 'bare' ? bare : other).push(timed(sends[name], url));
    const wait = start + ((sent + 1) * 1000) / PER_SECOND - performance.now();
    if (wait > 0) await sleep(wait);
  }
  return { bare: await Promise.all(bare), other: await Promise.all(other) };
}

/** Each second's own 99th percentile: a stall of the machine spoils one of them, not the result. */
function p99s(latencies: readonly number[]): number[] {
  const seconds = Array.from({ length: latencies.length / PER_SECOND }, (_, second) => second * PER_SECOND);
  return seconds.map((from) => quantile(latencies.slice(from, from + PER_SECOND), 0.99));
}

async function rowOf(server: Server, contender: Contender): Promise<Row> {
  const { name, client, connect } = contender;
  const first = await server.begin({ expiresInSeconds: EXPIRES_IN_SECONDS, exchangeMs: EXCHANGE_MS });
  const sends = { bare: bareClients[client](STATIC_TOKEN), other: await connect(server, first) };
  const seconds = isOurs(contender) ? SECONDS : SECONDS_OF_PEERS;
  const { bare, other } = await load(sends, server.url, seconds);
  const { exchanges, refused } = await server.seen();
  const byTheSecond = median(p99s(other).map((value, second) => ratio(value, p99s(bare)[second]!)));
  const stalled = other.filter((ms) => ms > EXCHANGE_MS / 2).length;
  const isMet = refused === 0 && stalled === 0 && byTheSecond <= RATIO_TARGET;
  return {
    with: name,
    exchanges,
    '401s': refused,
    stalled,
    'bare p99 ms': quantile(bare, 0.99).toFixed(1),
    'p99 ms': quantile(other, 0.99).toFixed(1),
    ratio: byTheSecond.toFixed(2),
    ...(isOurs(contender) ? { verdict: verdict(isMet) } : {}),
  };
}

export async function steady(): Promise<Table[]> {
  const server = await startServer();
  limitConnections(64);
  const rows = [];
  const contenders = ALL_CLIENTS.flatMap(contendersFor).filter(({ name }) => !LEFT_OUT.has(name));
  for (const contender of contenders) rows.push(await rowOf(server, contender));
  server.stop();
  return [
    {
      title: `Steady load: ${PER_SECOND} requests/s through expiries (target: no 401, no stall, ${RATIO_TARGET} ×)`,
      note:
        `Tokens of ${EXPIRES_IN_SECONDS} s, exchanges of ${EXCHANGE_MS} ms, ${SECONDS} s long (peers ` +
        `${SECONDS_OF_PEERS} s). Stalled: over ${EXCHANGE_MS / 2} ms. Ratio: of the p99 to that of a bare client at ` +
        'the same moments, median of all seconds.',
      rows,
    },
  ];
}
