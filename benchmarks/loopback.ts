import { CLIENTS, clients, type Send } from './clients.ts';
import { compare, inParallel, interleave, median, ratio, spread, type Table } from './harness.ts';
import { limitConnections, sourceAt, startServer, type Server } from './servers.ts';
import { STATIC_TOKEN } from './tokens.ts';

const ROUNDS = 21;
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

async function measure(
  server: Server,
  sends: Record<'bare' | 'ours', Send>,
): Promise<Record<string, string>> {
  const { url } = server;
  const variants = { bare: () => round(() => sends.bare(url)), ours: () => round(() => sends.ours(url)) };
  await interleave(variants, 5);
  const { bare, ours } = await interleave(variants, ROUNDS);
  const rates = (rounds: Round[]): number[] => rounds.map(({ perSecond }) => perSecond);
  const costs = (rounds: Round[]): number[] => rounds.map(({ cpuUs }) => cpuUs);
  const rate = compare(rates(ours!), rates(bare!), ratio);
  const cost = compare(costs(ours!), costs(bare!), ratio);
  return {
    'bare req/s': median(rates(bare!)).toFixed(0),
    'ours/bare': rate.median.toFixed(2),
    'middle half': spread(rate, 2),
    'bare CPU µs': median(costs(bare!)).toFixed(0),
    'CPU ours/bare': cost.median.toFixed(2),
  };
}

export async function loopback(): Promise<Table[]> {
  const server = await startServer();
  limitConnections(AT_ONCE);
  const rows = [];
  for (const client of CLIENTS) {
    const tokens = await sourceAt(server, await server.begin({ expiresInSeconds: 3600, exchangeMs: 0 }));
    const { bare, ours } = clients[client];
    rows.push({ client, ...(await measure(server, { bare: bare(STATIC_TOKEN), ours: ours(tokens) })) });
    await tokens.close();
  }
  server.stop();
  return [
    {
      title: 'Loopback: GET requests with a fresh token to a server in its own process',
      note: `${AT_ONCE} requests at once over as many connections. CPU is that of the client's process.`,
      rows,
    },
  ];
}
