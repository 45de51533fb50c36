import { ALL_CLIENTS, bareClients, type ClientName, type Send } from './clients.ts';
import { contendersFor, isOurs } from './contenders.ts';
import {
  compare,
  inParallel,
  interleave,
  median,
  middleHalf,
  ratio,
  type Row,
  type Table,
} from './harness.ts';
import { STATIC_TOKEN } from './place.ts';
import { limitConnections, startServer, type Server } from './servers.ts';

const ROUNDS = 21;
const WARM_UP = 5;
const REQUESTS = 200;
const AT_ONCE = 16;

interface Round {
  readonly perSecond: number;
  /** Of this process, for each request; less noisy than the time on a machine that does other things too. */
  readonly cpuUs: number;
}

async function round(send: () => Promise<unknown>): Promise<Round> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await inParallel(REQUESTS, AT_ONCE, send);
  const ms = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: (REQUESTS / ms) * 1000, cpuUs: (user + system) / REQUESTS };
}

async function rowOf(name: string, { url }: Server, sends: Record<'bare' | 'ours', Send>): Promise<Row> {
  const variants = { bare: () => round(() => sends.bare(url)), ours: () => round(() => sends.ours(url)) };
  await interleave(variants, WARM_UP);
  const { bare, ours } = await interleave(variants, ROUNDS);
  const rates = (rounds: Round[]): number[] => rounds.map(({ perSecond }) => perSecond);
  const costs = (rounds: Round[]): number[] => rounds.map(({ cpuUs }) => cpuUs);
  const rate = compare(rates(ours!), rates(bare!), ratio);
  const cost = compare(costs(ours!), costs(bare!), ratio);
  return {
    with: name,
    'bare req/s': median(rates(bare!)).toFixed(0),
    ratio: rate.median.toFixed(2),
    'middle half': middleHalf(rate, 2),
    'bare CPU µs': median(costs(bare!)).toFixed(0),
    'CPU ratio': cost.median.toFixed(2),
  };
}

async function rowsFor(client: ClientName, server: Server): Promise<Row[]> {
  const rows = [];
  for (const { name, connect } of contendersFor(client).filter(isOurs)) {
    const first = await server.begin({ expiresInSeconds: 3600, exchangeMs: 0 });
    const sends = { bare: bareClients[client](STATIC_TOKEN), ours: await connect(server, first) };
    rows.push(await rowOf(name, server, sends));
  }
  return rows;
}

export async function loopback(): Promise<Table[]> {
  const server = await startServer();
  limitConnections(AT_ONCE);
  const rows = [];
  for (const client of ALL_CLIENTS) rows.push(...(await rowsFor(client, server)));
  server.stop();
  return [
    {
      title: 'Loopback: GETs with a fresh token to a server in its own process (no target)',
      note:
        `Ratios: to the bare client, with a header that never changes. ${AT_ONCE} requests at once over as many ` +
        "connections. CPU is that of the client's process, for each request.",
      rows,
    },
  ];
}
