import { ALL_CLIENTS, type ClientName } from './clients.ts';
import { contendersFor, isOurs } from './contenders.ts';
import {
  compare,
  difference,
  inProcess,
  median,
  middleHalf,
  verdict,
  type Row,
  type Table,
} from './harness.ts';
import type { Asked, AuthorizeRounds, Rounds } from './hot-path-rounds.ts';

/** Microseconds; a body takes as long as anything. */
const TARGETS = { axios: 6, got: 6, ky: 2, fetch: 3, undici: 2 };
const BODY_TARGET = 6;
const AUTHORIZE_TARGET_NS = 300;

const measure = <T>(asked: Asked): Promise<T> => inProcess<T>('hot-path-rounds.ts', JSON.stringify(asked));

const targetOf = (client: ClientName, method: string): number =>
  method === 'GET' && client in TARGETS ? TARGETS[client as keyof typeof TARGETS] : BODY_TARGET;

async function rowsOf(client: ClientName, method: 'GET' | 'POST'): Promise<Row[]> {
  const rounds = await measure<Rounds>({ client, method });
  const measured = contendersFor(client).filter(({ name }) => name in rounds);
  return measured.map((contender) => {
    const over = compare(rounds[contender.name]!, rounds['bare']!, difference);
    const target = targetOf(client, method);
    return {
      with: contender.name,
      sends: method,
      bare: median(rounds['bare']!).toFixed(1),
      'adds µs': over.median.toFixed(1),
      'middle half': middleHalf(over, 1),
      ...(isOurs(contender) ? { target, verdict: verdict(over.median <= target) } : {}),
    };
  });
}

async function requests(): Promise<Table> {
  const rows = [];
  for (const client of ALL_CLIENTS) {
    rows.push(...(await rowsOf(client, 'GET')));
    if (client in TARGETS) rows.push(...(await rowsOf(client, 'POST')));
  }
  return {
    title: 'Hot path: what a request with a fresh token costs, in µs',
    note:
      'The network is stubbed. Bare: the same client with a header that never changes. POSTs send 200 bytes of ' +
      'JSON. Targets: 3 µs for fetch, 2 µs for GETs of ky and undici, 6 µs for the rest.',
    rows,
  };
}

async function authorize(): Promise<Table> {
  const found = await measure<Record<string, AuthorizeRounds>>('authorize');
  return {
    title: `Hot path: \`authorize\` with a fresh token (target ${AUTHORIZE_TARGET_NS} ns, no promise)`,
    note: 'What every adapter calls for each request. Less an empty function called in the same rounds.',
    rows: Object.entries(found).map(([name, { ns, emptyNs, bytes, isPromise }]) => {
      const over = compare(ns, emptyNs, difference);
      return {
        'source with': name,
        ns: over.median.toFixed(0),
        'middle half': middleHalf(over, 0),
        'bytes made': median(bytes).toFixed(0),
        promise: isPromise ? 'yes' : 'no',
        verdict: verdict(over.median < AUTHORIZE_TARGET_NS && !isPromise),
      };
    }),
  };
}

export const hotPath = async (): Promise<Table[]> => [await requests(), await authorize()];
