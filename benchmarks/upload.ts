import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { compare, difference, inProcess, interleave, median, spread, type Table } from './harness.ts';

const ROUNDS = 5;
const MIB = 2 ** 20;
const CLIENTS = ['axios', 'ky', 'got', 'fetch'] as const;

export async function upload(): Promise<Table[]> {
  const server = createServer((request, response) => request.resume().on('end', () => response.end('{}')));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const rows = [];
  for (const client of CLIENTS) {
    const peak = (how: string) => (): Promise<number> =>
      inProcess<number>('upload-once.ts', client, how, url);
    const { bare, ours } = await interleave({ bare: peak('bare'), ours: peak('ours') }, ROUNDS);
    const over = compare(ours!, bare!, difference);
    rows.push({
      client,
      'bare MiB': (median(bare!) / MIB).toFixed(0),
      '+ MiB': (over.median / MIB).toFixed(1),
      'middle half': spread({ low: over.low / MIB, high: over.high / MIB }, 1),
      target: '< 8',
    });
  }
  server.close();
  return [
    {
      title: 'Upload: peak memory of a process that streams 256 MiB, not replayed',
      note: `Resident memory (Linux only); ${ROUNDS} processes each. axios without redirects and ky without retries, which keep it all.`,
      rows,
    },
  ];
}
