import { setTimeout as sleep } from 'node:timers/promises';
import { ALL_CLIENTS, bareClients, type Send } from './clients.ts';
import { contendersFor, isOurs, type Contender } from './contenders.ts';
import { median, quantile, ratio, verdict, type Row, type Table } from './harness.ts';
import { STATIC_TOKEN } from './place.ts';
import { limitConnections, startServer, type Server } from './servers.ts';

const PER_SECOND = 200;
const SECONDS = 4;
/** Of a run; peers have one, since nothing is claimed by their times. */
const RUNS = 3;
const EXPIRES_IN_SECONDS = 3;
const EXCHANGE_MS = 300;
const RATIO_TARGET = 1.1;

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
async function load(sends: Record<'bare' | 'other', Send>, url: string): Promise<Latencies> {
  const bare: Promise<number>[] = [];
  const other: Promise<number>[] = [];
  const start = performance.now();
  for (let sent = 0; sent < PER_SECOND * SECONDS; sent += 1) {
    const order = sent % 2 === 0 ? (['bare', 'other'] as const) : (['other', 'bare'] as const);
    for (const name of order) (name === 'bare' ? bare : other).push(timed(sends[name], url));
    const wait = start + ((sent + 1) * 1000) / PER_SECOND - performance.now();
    if (wait > 0) await sleep(wait);
  }
  return { bare: await Promise.all(bare), other: await Promise.all(other) };
}

interface Run extends Latencies {
  readonly exchanges: number;
  readonly refused: number;
}

async function run(server: Server, { client, connect }: Contender): Promise<Run> {
  const first = await server.begin({ expiresInSeconds: EXPIRES_IN_SECONDS, exchangeMs: EXCHANGE_MS });
  const sends = { bare: bareClients[client](STATIC_TOKEN), other: await connect(server, first) };
  return { ...(await load(sends, server.url)), ...(await server.seen()) };
}

const p99 = (latencies: readonly number[]): number => quantile(latencies, 0.99);

async function rowOf(server: Server, contender: Contender): Promise<Row> {
  const runs: Run[] = [];
  for (let left = isOurs(contender) ? RUNS : 1; left > 0; left -= 1) runs.push(await run(server, contender));
  const sum = (count: (run: Run) => number): number => runs.map(count).reduce((all, one) => all + one, 0);
  const refused = sum((one) => one.refused);
  const stalled = sum(({ other }) => other.filter((ms) => ms > EXCHANGE_MS / 2).length);
  const over = median(runs.map(({ bare, other }) => ratio(p99(other), p99(bare))));
  const isMet = refused === 0 && stalled === 0 && over <= RATIO_TARGET;
  return {
    with: contender.name,
    runs: runs.length,
    exchanges: sum(({ exchanges }) => exchanges),
    '401s': refused,
    stalled,
    'bare p99 ms': median(runs.map(({ bare }) => p99(bare))).toFixed(1),
    'p99 ms': median(runs.map(({ other }) => p99(other))).toFixed(1),
    ratio: over.toFixed(2),
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
        `Tokens of ${EXPIRES_IN_SECONDS} s, exchanges of ${EXCHANGE_MS} ms, runs of ${SECONDS} s. Stalled: over ` +
        `${EXCHANGE_MS / 2} ms. Ratio: of a run's p99 to that of a bare client at the same moments, median of the runs.`,
      rows,
    },
  ];
}
