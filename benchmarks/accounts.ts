import type { AccountsRun } from './accounts-once.ts';
import { inProcess, verdict, type Row, type Table } from './harness.ts';

const COUNT = 100_000;
/** Of the heap at rest, after each account was refreshed, to that before. */
const TARGET_GROWTH = 1.1;
const MOST_AT_ONCE = 8;

export async function accounts(): Promise<Table[]> {
  const { steps, exchanges, mostAtOnce } = await inProcess<AccountsRun>('accounts-once.ts', String(COUNT));
  const heapAfter = (name: string): number => steps.find((step) => step.name === name)!.heapBytes;
  const isFlat = heapAfter('asked, refreshed') <= TARGET_GROWTH * heapAfter('signed in');
  const rows = steps.map(({ name, ms, heapBytes }): Row => {
    const isRefreshed = name === 'asked, refreshed';
    const isMet = isFlat && exchanges === COUNT && mostAtOnce <= MOST_AT_ONCE;
    return {
      'all of them': name,
      s: (ms / 1000).toFixed(1),
      'µs each': ((ms * 1000) / COUNT).toFixed(1),
      'heap bytes each': (heapBytes / COUNT).toFixed(0),
      ...(isRefreshed ? { exchanges, 'most at once': mostAtOnce, verdict: verdict(isMet) } : {}),
    };
  });
  return [
    {
      title: `${COUNT} accounts in one process (target: 1 exchange each, ${MOST_AT_ONCE} at once; heap flat)`,
      note:
        'A token source for each, over the memory store; 1,000 at a time. The heap is what is kept at rest, tokens ' +
        `included. Flat: at most ${TARGET_GROWTH} × after a refresh of what it was after the sign-in.`,
      rows,
    },
  ];
}
