import { styleText } from 'node:util';
import { CLIENTS, type ClientName } from './clients.ts';
import type { Latencies } from './steady.ts';
import type { CountName, Counts, Tally } from './tally.ts';
import type { Problems } from './traffic.ts';

export interface Row {
  readonly name: CountName;
  readonly text: string;
  /** It is a promise of unexpired that this stays 0, of so many. */
  readonly outOf?: CountName;
  /** Whether each client has its share of it. */
  readonly isShared?: true;
}

const ROWS: readonly Row[] = [
  { name: 'calls', text: 'calls', isShared: true },
  { name: 'refusals', text: '401s the API sent', isShared: true },
  { name: 'seenRefusals', text: '401s callers saw', outOf: 'calls', isShared: true },
  { name: 'errors', text: 'other errors callers saw', outOf: 'calls', isShared: true },
  { name: 'bodies', text: 'bodies compared', isShared: true },
  { name: 'differingBodies', text: 'bodies that differed', outOf: 'bodies', isShared: true },
  { name: 'foreign', text: 'requests at another origin', isShared: true },
  { name: 'leaks', text: 'access tokens another origin saw', outOf: 'foreign', isShared: true },
  { name: 'probes', text: 'reads while a refresh was held', isShared: true },
  { name: 'waits', text: 'reads that waited for a refresh', outOf: 'probes', isShared: true },
  { name: 'exchanges', text: 'requests to the token endpoint' },
  { name: 'unexplained', text: 'token requests without a reason', outOf: 'exchanges' },
  { name: 'expiries', text: 'refreshes because of an expiry' },
  { name: 'revocations', text: 'refreshes because of a revocation' },
  { name: 'needless', text: 'refreshes without a reason', outOf: 'refreshes' },
  { name: 'reuses', text: 'spent refresh tokens shown again', outOf: 'exchanges' },
  { name: 'signIns', text: 'sign-ins needed again', outOf: 'exchanges' },
];

const PROMISES = ROWS.filter(({ outOf }) => outOf !== undefined);

/** What must have happened for a kept promise to mean something, and how often at least. */
const EVENTS: readonly (readonly [CountName, number, string])[] = [
  ['burst', 1000, 'calls at once on an expired token'],
  ['expiries', 1, 'refreshes because of an expiry'],
  ['revokedRefusals', 1, '401s for a revoked access token'],
  ['resets', 2, 'connections reset by the token endpoint'],
  ['shortOutages', 1, 'short outages of the token endpoint'],
  ['longOutages', 1, 'long outages of the token endpoint'],
];

/** The same with each client. */
const SHARED_EVENTS: readonly (readonly [CountName, number, string])[] = [
  ['drops', 1, 'connections reset by the API'],
  ['probes', 1, 'reads while a refresh was held'],
  ['json', 1, 'JSON bodies compared'],
  ['multipart', 1, 'multipart bodies compared'],
  ['stream', 1, 'streams compared'],
  ['reopened', 1, 'reopened streams compared'],
  ['foreign', 1, 'requests at another origin'],
];

/** A line for each part of the story that did not happen. */
export function missingEvents({ all, of }: Tally): string[] {
  const missing = (counts: Counts, events: typeof EVENTS, who: string): string[] =>
    events
      .filter(([name, least]) => counts[name] < least)
      .map(
        ([name, least, text]) => `${numberText(counts[name])} of ${numberText(least)} or more ${text}${who}`,
      );
  return [
    ...missing(all, EVENTS, ''),
    ...CLIENTS.flatMap((client) => missing(of[client], SHARED_EVENTS, ` through ${client}`)),
  ];
}

export function brokenPromises(counts: Counts): number {
  return PROMISES.filter(({ name }) => counts[name] > 0).length;
}

export function numberText(value: number): string {
  return value.toLocaleString('en-US');
}

export function secondsText(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

const VERDICT_STYLE = { '': 'reset', kept: 'green', BROKEN: 'red' } as const;

/** A line of columns, 79 wide: a verdict, what it is about, and right-aligned cells of so many columns. */
function line(
  verdict: '' | 'kept' | 'BROKEN',
  text: string,
  cells: readonly (readonly [value: string, width: number])[],
): string {
  const width = cells.reduce((sum, cell) => sum + cell[1], 0);
  const columns = cells.map(([value, columns]) => value.padStart(columns)).join('');
  return `${styleText(VERDICT_STYLE[verdict], verdict.padEnd(7))}${text.padEnd(72 - width)}${columns}`.trimEnd();
}

export interface ChapterResult {
  readonly title: string;
  readonly ms: number;
  readonly counts: Counts;
}

const CHAPTER_WIDTHS = [6, 6, 7, 10, 6];

function chapterCells(values: readonly string[]): (readonly [string, number])[] {
  return values.map((value, index) => [value, CHAPTER_WIDTHS[index]!]);
}

/** Above the lines of the chapters: calls, 401s the API sent, calls that failed for their caller, refreshes. */
export const CHAPTER_HEAD: string = line('', '', chapterCells(['calls', '401s', 'failed', 'refreshes', 's']));

/** Below them, what their numbers count. */
export const CHAPTER_LEGEND = '401s: that the API sent; failed: calls, for their callers';

/** What the columns do not show. */
function hiddenFaults(counts: Counts): string[] {
  return PROMISES.filter(({ name, outOf }) => outOf !== 'calls' && counts[name] > 0).map(
    ({ name, text }) => `         ${text}: ${numberText(counts[name])}`,
  );
}

/** One line for each chapter, and one for each fault that its columns do not show. */
export function chapterLine({ title, ms, counts }: ChapterResult): string {
  const { calls, refusals, seenRefusals, errors, refreshes } = counts;
  const values = [calls, refusals, seenRefusals + errors, refreshes].map(numberText);
  const verdict = brokenPromises(counts) === 0 ? 'kept' : 'BROKEN';
  const first = line(verdict, title, chapterCells([...values, (ms / 1000).toFixed(1)]));
  return [first, ...hiddenFaults(counts)].join('\n');
}

function shares(of: (client: ClientName) => string, all: string): (readonly [string, number])[] {
  return [...CLIENTS.map((client) => [of(client), 7] as const), [all, 8]];
}

/** Nothing is kept where nothing has happened yet. */
function verdictOf({ name, outOf }: Row, counts: Counts): '' | 'kept' | 'BROKEN' {
  if (outOf === undefined || counts[outOf] === 0) return '';
  return counts[name] === 0 ? 'kept' : 'BROKEN';
}

function rowLine(row: Row, { all, of }: Tally): string {
  const { name, text, isShared } = row;
  const share = (client: ClientName): string => (isShared ? numberText(of[client][name]) : '');
  return line(verdictOf(row, all), text, shares(share, numberText(all[name])));
}

function head(text: string): string {
  return line(
    '',
    text,
    shares((client) => client, 'all'),
  );
}

/** What each client has its share of: in short, what went wrong. */
export function sharesTable(tally: Tally): string[] {
  const rows = ROWS.filter(
    ({ name, outOf, isShared }) => isShared && (outOf !== undefined || name === 'calls'),
  );
  return [head(''), ...rows.map((row) => rowLine(row, tally))];
}

function latencyLine(text: string, values: readonly number[]): string {
  const median = values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
  return line('', text, [[`${median?.toFixed(1) ?? '-'} ms`, 36]]);
}

/** Everything that was counted, by client where it can be told. */
export function table(tally: Tally, { kept, fixed }: Latencies): string {
  return [
    head(''),
    ...ROWS.map((row) => rowLine(row, tally)),
    latencyLine('steady reads, here, the median', kept),
    latencyLine('the same with a static token', fixed),
  ].join('\n');
}

/** What went wrong for callers, the most frequent first. */
export function problemTable(problems: Problems): string {
  const sumOf = (counts: Record<ClientName, number>): number =>
    CLIENTS.reduce((sum, client) => sum + counts[client], 0);
  const sorted = [...problems].toSorted(([, a], [, b]) => sumOf(b) - sumOf(a));
  const lines = sorted.map(([problem, counts]) =>
    line(
      '',
      problem,
      shares((client) => numberText(counts[client]), numberText(sumOf(counts))),
    ),
  );
  return [head('what callers got instead'), ...lines].join('\n');
}

export function verdict(tally: Tally): string {
  const broken = brokenPromises(tally.all);
  if (broken > 0) return `${broken} ${broken === 1 ? 'promise' : 'promises'} of ${PROMISES.length} broken.`;
  return missingEvents(tally).length > 0
    ? 'The demo did not happen: kept promises prove nothing.'
    : 'Every promise was kept.';
}
