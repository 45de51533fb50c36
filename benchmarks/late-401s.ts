import { ALL_CLIENTS } from './clients.ts';
import { contendersFor, isOurs } from './contenders.ts';
import { inProcess, verdict, type Table } from './harness.ts';
import type { LateRefusals } from './late-401s-rounds.ts';

// Few enough that ky, which waits a moment before each retry, is done before its own time-out.
const REQUESTS = 10;

export async function late401s(): Promise<Table[]> {
  const rows = [];
  for (const client of ALL_CLIENTS) {
    const args = ['late-401s-rounds.ts', client, String(REQUESTS)] as const;
    const found = await inProcess<Record<string, LateRefusals>>(...args);
    for (const contender of contendersFor(client)) {
      const { served, exchanges } = found[contender.name]!;
      rows.push({
        with: contender.name,
        served,
        exchanges,
        ...(isOurs(contender) ? { verdict: verdict(served === REQUESTS && exchanges === 1) } : {}),
      });
    }
  }
  return [
    {
      title: `Late 401s: ${REQUESTS} requests with a revoked token (target: all served, 1 exchange)`,
      note: 'Refused one after another, each once the one before is over. The network is stubbed.',
      rows,
    },
  ];
}
