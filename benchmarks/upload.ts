import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ALL_CLIENTS, type ClientName } from './clients.ts';
import { contendersFor, isOurs } from './contenders.ts';
import {
  compare,
  difference,
  inProcess,
  interleave,
  median,
  verdict,
  type Row,
  type Table,
} from './harness.ts';

const ROUNDS = 3;
const MIB = 2 ** 20;
const TARGET_MIB = 8;

/** They hand a body on as it is, by clients that no adapter is for. */
const LEFT_OUT: readonly ClientName[] = ['gaxios', 'azure'];

/** The peak in MiB, by contender and round. */
async function measure(client: ClientName, url: string): Promise<Record<string, number[]>> {
  const peak = (name: string) => async (): Promise<number> =>
    (await inProcess<number>('upload-once.ts', client, name, url)) / MIB;
  const contenders = contendersFor(client);
  const names = ['bare', ...contenders.filter(isOurs).map(({ name }) => name)];
  const peers = contenders.filter((each) => !isOurs(each)).map(({ name }) => name);
  const variants = (of: string[]) => Object.fromEntries(of.map((name) => [name, peak(name)]));
  // Peers keep everything or nothing, which one round shows.
  return { ...(await interleave(variants(names), ROUNDS)), ...(await interleave(variants(peers), 1)) };
}

async function rowsFor(client: ClientName, url: string): Promise<Row[]> {
  const peaks = await measure(client, url);
  const bare = peaks['bare']!;
  return contendersFor(client).map((contender) => {
    const over = compare(peaks[contender.name]!, bare, difference);
    return {
      with: contender.name,
      'bare MiB': median(bare).toFixed(0),
      'adds MiB': over.median.toFixed(1),
      ...(isOurs(contender) ? { verdict: verdict(over.median < TARGET_MIB) } : {}),
    };
  });
}

export async function upload(): Promise<Table[]> {
  const server = createServer((request, response) => request.resume().on('end', () => response.end('{}')));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const clients = ALL_CLIENTS.filter((name) => !LEFT_OUT.includes(name));
  // At once: how fast a process is does not change what it keeps.
  const rows = (await Promise.all(clients.map((client) => rowsFor(client, url)))).flat();
  server.close();
  return [
    {
      title: `Upload: peak memory of streaming 256 MiB, not replayed (target ${TARGET_MIB} MiB more)`,
      note:
        'Resident memory (Linux only) of a process for each upload. Without redirects, and with ky without retries (but ' +
        'for its recipe, which is one): for these the clients themselves keep the whole body.',
      rows,
    },
  ];
}
