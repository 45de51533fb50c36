import type { Burst, BurstsOfClient } from './burst-rounds.ts';
import { CLIENTS } from './clients.ts';
import { inProcess, median, type Table } from './harness.ts';

export const REQUESTS = 10_000;
export const EXCHANGE_MS = 300;

function rowOf(name: string, burst: Burst, bareBytes: number): Record<string, string | number> {
  const { validMs, waitingMs, exchanges, served, bytes } = burst;
  const valid = median(validMs);
  return {
    with: name,
    served,
    exchanges,
    'valid ms': valid.toFixed(0),
    'expired ms': median(waitingMs).toFixed(0),
    ratio: (median(waitingMs) / (valid + EXCHANGE_MS)).toFixed(2),
    'bytes each': (median(bytes) - bareBytes).toFixed(0),
  };
}

export async function burst(): Promise<Table[]> {
  const rows = [];
  for (const client of CLIENTS) {
    const { bareBytes, bursts } = await inProcess<BurstsOfClient>('burst-rounds.ts', client);
    for (const [name, each] of Object.entries(bursts))
      rows.push({ client, ...rowOf(name, each, median(bareBytes)) });
  }
  return [
    {
      title: `Burst: ${REQUESTS} requests at once with an expired token, the network stubbed`,
      note:
        `Ratio: to the same burst with a valid token and one exchange of ${EXCHANGE_MS} ms (target 1.2). ` +
        'Bytes: the heap of each that waits for the exchange, beyond a bare one that waits for its answer (target 2048).',
      rows,
    },
  ];
}
