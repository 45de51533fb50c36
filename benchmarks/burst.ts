import type { Burst, BurstsOfClient } from './burst-rounds.ts';
import { ALL_CLIENTS } from './clients.ts';
import { contendersFor, isOurs, type Contender } from './contenders.ts';
import { inProcess, median, verdict, type Row, type Table } from './harness.ts';

export const REQUESTS = 10_000;
export const EXCHANGE_MS = 300;
const RATIO_TARGET = 1.2;
const BYTES_TARGET = 2048;

function timeOf(contender: Contender, { validMs, waitingMs, served, exchanges }: Burst): Row {
  const valid = median(validMs);
  const ratio = median(waitingMs) / (valid + EXCHANGE_MS);
  const isMet = served === REQUESTS && exchanges === 1 && ratio <= RATIO_TARGET;
  return {
    with: contender.name,
    served,
    exchanges,
    'valid ms': valid.toFixed(0),
    'expired ms': median(waitingMs).toFixed(0),
    ratio: ratio.toFixed(2),
    ...(isOurs(contender) ? { verdict: verdict(isMet) } : {}),
  };
}

function memoryOf(contender: Contender, { heldBytes }: Burst, bareBytes: number): Row {
  const bytes = median(heldBytes) - bareBytes;
  return {
    with: contender.name,
    'bare bytes': bareBytes.toFixed(0),
    'adds bytes': bytes.toFixed(0),
    ...(isOurs(contender) ? { verdict: verdict(bytes < BYTES_TARGET) } : {}),
  };
}

export async function burst(): Promise<Table[]> {
  const times: Row[] = [];
  const memory: Row[] = [];
  for (const client of ALL_CLIENTS) {
    const { bareBytes, bursts } = await inProcess<BurstsOfClient>('burst-rounds.ts', client);
    for (const contender of contendersFor(client)) {
      const found = bursts[contender.name]!;
      times.push(timeOf(contender, found));
      memory.push(memoryOf(contender, found, median(bareBytes)));
    }
  }
  return [
    {
      title: `Burst: ${REQUESTS} requests at once, token expired (target ${RATIO_TARGET} ×, 1 exchange)`,
      note: `Ratio: to the same burst with a valid token plus one exchange of ${EXCHANGE_MS} ms. The network is stubbed.`,
      rows: times,
    },
    {
      title: `Burst: memory of each request that waits (target ${BYTES_TARGET} bytes more than bare)`,
      note: 'The heap while all wait for the exchange; for the bare client, while all wait for their answers.',
      rows: memory,
    },
  ];
}
