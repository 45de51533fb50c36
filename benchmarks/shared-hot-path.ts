import { compare, inProcess, median, middleHalf, ratio, verdict, type Table } from './harness.ts';
import { createMeeting } from './locks.ts';
import { startRedis } from './redis.ts';
import type { StoreRounds } from './shared-hot-path-rounds.ts';

const TARGET = 1.1;

function tableOf(found: Record<string, StoreRounds>): Table {
  const memory = found['memory']!;
  const rows = Object.entries(found).flatMap(([name, rounds]) =>
    (['authorizeNs', 'getAccessTokenNs'] as const).map((call) => {
      const over = compare(rounds[call], memory[call], ratio);
      const { storeCalls, systemCalls } = rounds;
      const isMet = over.median <= TARGET && storeCalls === 0 && systemCalls === 0;
      const isBase = name === 'memory';
      return {
        'source over': isBase ? 'the memory store' : `@unexpired/${name}`,
        call: call.slice(0, -'Ns'.length),
        ns: median(rounds[call]).toFixed(0),
        ratio: isBase ? '' : over.median.toFixed(2),
        'middle half': isBase ? '' : middleHalf(over, 2),
        'store calls': storeCalls,
        'system calls': systemCalls,
        ...(isBase ? {} : { verdict: verdict(isMet) }),
      };
    }),
  );
  return {
    title: `A fresh token over a shared store (target: ${TARGET} × the memory store, no I/O)`,
    note:
      'Ratio: to the memory store, in the same rounds. Calls of the store, and reads and writes of the process (Linux ' +
      'only), during 100,000 calls of both.',
    rows,
  };
}

export async function sharedHotPath(): Promise<Table[]> {
  const redis = await startRedis();
  const meeting = createMeeting(redis?.socket);
  try {
    return [tableOf(await inProcess('shared-hot-path-rounds.ts', JSON.stringify(meeting)))];
  } finally {
    meeting.remove();
    await redis?.stop();
  }
}
