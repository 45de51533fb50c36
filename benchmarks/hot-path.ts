import { CLIENTS } from './clients.ts';
import { compare, difference, inProcess, median, spread, type Table } from './harness.ts';
import type { Asked, AuthorizeRounds, Rounds } from './hot-path-rounds.ts';
import { peers } from './peers.ts';

const TARGETS: Readonly<Record<string, number>> = { 'ky GET': 2, 'fetch GET': 3 };

const measure = <T>(asked: Asked): Promise<T> => inProcess<T>('hot-path-rounds.ts', JSON.stringify(asked));

function rowsOf(request: string, { bare, ...others }: Rounds): Table['rows'] {
  return Object.entries(others).map(([name, rounds]) => {
    const over = compare(rounds, bare!, difference);
    const isOurs = name === 'unexpired';
    return {
      request,
      with: name,
      'bare µs': median(bare!).toFixed(1),
      '+ µs': over.median.toFixed(1),
      'middle half': spread(over, 1),
      target: isOurs ? `<= ${TARGETS[request] ?? 6}` : '',
    };
  });
}

async function requests(): Promise<Table> {
  const rows = [];
  for (const client of CLIENTS) {
    for (const method of ['GET', 'POST'] as const) {
      rows.push(...rowsOf(`${client} ${method}`, await measure<Rounds>({ client, method })));
    }
  }
  for (const [peer, { client }] of Object.entries(peers)) {
    if (typeof client === 'function') rows.push(...rowsOf('its own GET', await measure<Rounds>({ peer })));
  }
  return {
    title: 'Hot path: a request with a fresh token, the network stubbed',
    note: 'Bare: the same client with a header that never changes. POSTs send 200 bytes of JSON.',
    rows,
  };
}

async function authorize(): Promise<Table> {
  const found = await measure<Record<string, AuthorizeRounds>>({});
  return {
    title: 'Hot path: `authorize` with a fresh token',
    note: 'Less an empty function called in the same rounds. Target: 300 ns, no promise.',
    rows: Object.entries(found).map(([name, { ns, emptyNs, bytes, isPromise }]) => {
      const over = compare(ns, emptyNs, difference);
      return {
        source: name,
        ns: over.median.toFixed(0),
        'middle half': spread(over, 0),
        bytes: median(bytes).toFixed(0),
        promise: isPromise ? 'yes' : 'no',
      };
    }),
  };
}

export const hotPath = async (): Promise<Table[]> => [await requests(), await authorize()];
