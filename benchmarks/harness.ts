import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** One cell for each column; figures are formatted already. */
export type Row = Readonly<Record<string, string | number>>;

export interface Table {
  readonly title: string;
  /** How it was measured, and what to compare it with. */
  readonly note: string;
  readonly rows: readonly Row[];
}

export type Benchmark = () => Promise<readonly Table[]>;

export const verdict = (isMet: boolean): 'met' | 'not met' => (isMet ? 'met' : 'not met');

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** What is compared, by name. */
export type Variants<T> = Readonly<Record<string, () => Promise<T>>>;

/**
 * Many short rounds, all variants in each, in an order that turns and returns: what else the machine does then hurts
 * all of them alike.
 */
export async function interleave<T>(variants: Variants<T>, rounds: number): Promise<Record<string, T[]>> {
  const names = Object.keys(variants);
  const results = Object.fromEntries(names.map((name): [string, T[]] => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    const first = round % names.length;
    const order = [...names.slice(first), ...names.slice(0, first)];
    if (round % 2 === 1) order.reverse();
    for (const name of order) results[name]!.push(await variants[name]!());
  }
  return results;
}

type Pairs = (value: number, base: number) => number;

/** The median of some rounds, and the middle half of them. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** Compares round by round. */
export function compare(values: readonly number[], base: readonly number[], by: Pairs): Spread {
  const pairs = values.map((value, round) => by(value, base[round]!));
  return { median: median(pairs), low: quantile(pairs, 0.25), high: quantile(pairs, 0.75) };
}

export const difference: Pairs = (value, base) => value - base;
export const ratio: Pairs = (value, base) => value / base;

export function middleHalf({ low, high }: Spread, digits: number): string {
  return `${low.toFixed(digits)} … ${high.toFixed(digits)}`;
}

/** A file of this folder in a process of its own. */
export function start(file: string, ...args: string[]): ChildProcess {
  return fork(fileURLToPath(new URL(file, import.meta.url)), args);
}

/** The next message of a process. */
export async function messageOf<T>(child: ChildProcess): Promise<T> {
  const heard = new AbortController();
  // Not `exit`, which may come before the last message.
  const ended = once(child, 'disconnect', heard).then(() => {
    throw new Error(`${child.spawnargs.slice(-2).join(' ')} ended and told nothing`);
  });
  ended.catch(() => undefined);
  try {
    const [message] = (await Promise.race([once(child, 'message'), ended])) as [T];
    return message;
  } finally {
    heard.abort();
  }
}

/** Runs a file in a process of its own until its one message, and ends it: some leave timers and connections. */
export async function inProcess<T>(file: string, ...args: string[]): Promise<T> {
  const child = start(file, ...args);
  const exited = once(child, 'exit');
  const message = await messageOf<T>(child);
  child.kill('SIGKILL');
  await exited;
  return message;
}

/** Runs `send` so often, so many at once. */
export async function inParallel(times: number, lanes: number, send: () => Promise<unknown>): Promise<void> {
  let left = times;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await send();
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
