import { setTimeout as sleep } from 'node:timers/promises';
import { CLIENTS, clients, type ClientName, type Send } from './clients.ts';
import { contendersFor, type Connect } from './contenders.ts';
import { median, quantile, ratio, type Table } from './harness.ts';
import { limitConnections, startServer, type Server } from './servers.ts';
import { STATIC_TOKEN } from './tokens.ts';

const PER_SECOND = 200;
const SECONDS = 10;
const EXPIRES_IN_SECONDS = 4;
const EXCHANGE_MS = 300;

/** The milliseconds of all requests, in the order in which they were sent. */
interface Latencies {
  readonly bare: number[];
  readonly ours: number[];
}

async function timed(send: Send, url: string): Promise<number> {
  const start = performance.now();
  await send(url).catch(() => undefined);
  return performance.now() - start;
}

/** Both at the same moments, so that whatever else the machine does hurts both. */
async function load(sends: { bare: Send; ours: Send }, url: string): Promise<Latencies> {
  const bare: Promise<number>[] = [];
  const ours: Promise<number>[] = [];
  const start = performance.now();
  for (let sent = 0; sent < PER_SECOND * SECONDS; sent += 1) {
    const order = sent % 2 === 0 ? (['bare', 'ours'] as const) : (['ours', 'bare'] as const);
    for (const name of order) (name === 'bare' ? bare : ours).push(timed(sends[name], url));
    const next = start + ((sent + 1) * 1000) / PER_SECOND;
    if (next > performance.now()) await sleep(next - performance.now());
  }
  return { bare: await Promise.all(bare), ours: await Promise.all(ours) };
}

/** Each second's own 99th percentile: a stall of the machine spoils one of them, not the result. */
function p99s(latencies: readonly number[]): number[] {
  const seconds = Array.from({ length: SECONDS }, (_, second) => second * PER_SECOND);
  return seconds.map((from) => quantile(latencies.slice(from, from + PER_SECOND), 0.99));
}

async function measure(server: Server, client: ClientName, connect: Connect): Promise<Table['rows'][number]> {
  const first = await server.begin({ expiresInSeconds: EXPIRES_IN_SECONDS, exchangeMs: EXCHANGE_MS });
  const sends = { bare: clients[client].bare(STATIC_TOKEN), ours: await connect(server, first) };
  const { bare, ours } = await load(sends, server.url);
  const { exchanges, refused } = await server.seen();
  const ratios = p99s(ours).map((value, second) => ratio(value, p99s(bare)[second]!));
  return {
    exchanges,
    '401s': refused,
    'bare p99 ms': quantile(bare, 0.99).toFixed(1),
    'p99 ms': quantile(ours, 0.99).toFixed(1),
    'p99 ratio': median(ratios).toFixed(2),
    stalled: ours.filter((ms) => ms > EXCHANGE_MS / 2).length,
  };
}

export async function steady(): Promise<Table[]> {
  const server = await startServer();
  limitConnections(64);
  const rows = [];
  for (const client of CLIENTS) {
    // Peers with fixed windows of 10 s and more would do nothing but refresh.
    const contenders = contendersFor(client).filter(([name]) => MEASURED.has(name));
    for (const [name, connect] of contenders) {
      rows.push({ client, with: name, ...(await measure(server, client, connect)) });
    }
  }
  server.stop();
  return [
    {
      title: `Steady load: ${PER_SECOND} requests/s for ${SECONDS} s, tokens of ${EXPIRES_IN_SECONDS} s`,
      note:
        `An exchange takes ${EXCHANGE_MS} ms. A bare client sends as many at the same moments. p99 ratio: the median ` +
        `of all seconds (target 1.1, and no 401). Stalled: over ${EXCHANGE_MS / 2} ms.`,
      rows,
    },
  ];
}

const MEASURED = new Set(['unexpired', 'axios-auth-refresh', 'fetch-extras']);
