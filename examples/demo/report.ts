import type { Tally } from './tally.ts';
import type { Latencies } from './steady.ts';

/** What unexpired promises, and how much of it was broken. */
const PROMISES: readonly (keyof Tally)[] = [
  'seenRefusals',
  'errors',
  'waits',
  'unexplained',
  'needless',
  'reuses',
  'signIns',
  'differingBodies',
  'leaks',
];

/** What must have happened for a kept promise to mean something, and how often at least. */
const EVENTS: readonly (readonly [keyof Tally, number, string])[] = [
  ['burst', 1000, 'requests at once on an expired token'],
  ['expiries', 1, 'refreshes because of an expiry'],
  ['revokedRefusals', 1, '401s for a revoked access token'],
  ['drops', 2, 'connections reset by the API'],
  ['resets', 2, 'connections reset by the token endpoint'],
  ['shortOutages', 1, 'short outages of the token endpoint'],
  ['longOutages', 1, 'long outages of the token endpoint'],
  ['probes', 1, 'reads while a refresh was kept back'],
  ['json', 1, 'JSON bodies compared'],
  ['multipart', 1, 'multipart bodies compared'],
  ['stream', 1, 'streams compared'],
  ['reopened', 1, 'reopened streams compared'],
  ['foreign', 1, 'requests at another origin'],
];

/** A line for each part of the story that did not happen. */
export function missingEvents(tally: Tally): string[] {
  return EVENTS.filter(([name, least]) => tally[name] < least).map(
    ([name, least, text]) => `${numberText(tally[name])} of ${numberText(least)} or more ${text}`,
  );
}

export function brokenPromises(tally: Tally): number {
  return PROMISES.filter((name) => tally[name] > 0).length;
}

export function percentile(values: readonly number[], part: number): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
}

function shown(ms: number | undefined): string {
  return ms === undefined ? '-' : ms.toFixed(1);
}

export function latencyText(values: readonly number[]): string {
  return `${shown(percentile(values, 0.5))} / ${shown(percentile(values, 0.99))} ms`;
}

export function numberText(value: number): string {
  return value.toLocaleString('en-US');
}

export function secondsText(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

export interface ChapterResult {
  readonly title: string;
  readonly ms: number;
  readonly tally: Tally;
}

function plural(count: number, one: string, many = `${one}s`): string {
  return `${numberText(count)} ${count === 1 ? one : many}`;
}

function columns(verdict: string, title: string, numbers: readonly string[]): string {
  const [calls = '', refusals = '', failed = '', refreshes = '', seconds = ''] = numbers;
  const cells = [
    calls.padStart(6),
    refusals.padStart(6),
    failed.padStart(7),
    refreshes.padStart(5),
    seconds.padStart(5),
  ];
  return verdict.padEnd(7) + title.padEnd(44) + cells.join('');
}

/** Above the lines of the chapters: calls, 401s the API sent, calls that failed for their caller, refreshes. */
export const CHAPTER_HEAD: string = columns('', '', ['calls', '401s', 'failed', 'refr', 's']);

/** One line for each chapter. */
export function chapterLine({ title, ms, tally }: ChapterResult): string {
  const counts = [tally.requests, tally.refusals, tally.seenRefusals + tally.errors, tally.refreshes];
  const verdict = brokenPromises(tally) === 0 ? 'kept' : 'BROKEN';
  return columns(verdict, title, [...counts.map(numberText), (ms / 1000).toFixed(1)]);
}

interface Row {
  readonly name: string;
  readonly value: string;
  readonly note?: string;
  /** Of a promise: whether it was kept. */
  readonly kept?: boolean;
}

function rowsOf(tally: Tally, latencies: Latencies): readonly Row[] {
  const promise = (name: string, key: keyof Tally, note?: string): Row => ({
    name,
    value: numberText(tally[key]),
    ...(note !== undefined && { note }),
    kept: tally[key] === 0,
  });
  const { expiries, revocations } = tally;
  return [
    { name: 'requests by callers', value: numberText(tally.requests) },
    { name: '401s the API sent', value: numberText(tally.refusals) },
    promise('401s callers saw', 'seenRefusals'),
    promise('other errors callers saw', 'errors'),
    promise('reads that waited for a refresh', 'waits', `of ${numberText(tally.probes)}`),
    { name: 'requests to the token endpoint', value: numberText(tally.exchanges) },
    promise('  without a reason', 'unexplained'),
    {
      name: 'refreshes',
      value: numberText(tally.refreshes),
      note: `${plural(expiries, 'expiry', 'expiries')}, ${revocations} revoked`,
    },
    promise('refreshes without a reason', 'needless'),
    promise('spent refresh tokens shown again', 'reuses'),
    promise('sign-ins needed again', 'signIns'),
    promise('bodies that differed', 'differingBodies', `of ${numberText(tally.bodies)}`),
    promise('access tokens another origin saw', 'leaks', `of ${plural(tally.foreign, 'request')}`),
    { name: 'steady reads, p50 / p99', value: latencyText(latencies.kept) },
    { name: '  the same with a static token', value: latencyText(latencies.fixed) },
  ];
}

/** The table at the end, 80 columns at most. */
export function table(tally: Tally, latencies: Latencies): string {
  return rowsOf(tally, latencies)
    .map(({ name, value, note = '', kept }) => {
      const verdict = kept === undefined ? '' : kept ? 'kept' : 'BROKEN';
      return `${name.padEnd(33)}${value.padStart(15)}  ${verdict.padEnd(6)}  ${note}`.trimEnd();
    })
    .join('\n');
}

/** What went wrong for callers, the most frequent first. */
export function problemLines(problems: ReadonlyMap<string, number>): string[] {
  const sorted = [...problems].toSorted(([, a], [, b]) => b - a);
  return sorted.map(([name, count]) => `${numberText(count).padStart(8)}  ${name}`);
}

export function verdict(tally: Tally): string {
  const broken = brokenPromises(tally);
  if (broken === 0 && missingEvents(tally).length > 0)
    return 'The demo did not happen: kept promises prove nothing.';
  return broken === 0
    ? 'Every promise was kept.'
    : `${plural(broken, 'promise')} of ${PROMISES.length} broken.`;
}
