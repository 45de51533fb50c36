// A token source for each of very many accounts, in a process of its own.
import { createTokenSource, type TokenSource } from '@unexpired/core';
import { inParallel } from './harness.ts';
import { tokensFor } from './place.ts';

export interface Step {
  readonly name: string;
  readonly ms: number;
  /** All that the accounts keep, once garbage is collected. */
  readonly heapBytes: number;
}

export interface AccountsRun {
  readonly steps: readonly Step[];
  readonly exchanges: number;
  readonly mostAtOnce: number;
}

/** As many as ask at the same moment. */
const LANES = 1000;

function heapUsed(): number {
  global.gc!();
  return process.memoryUsage().heapUsed;
}

const count = Number(process.argv[2]);
const sources: TokenSource[] = [];
const steps: Step[] = [];
let exchanges = 0;
let underWay = 0;
let mostAtOnce = 0;

async function refresh(): Promise<ReturnType<typeof tokensFor>> {
  exchanges += 1;
  underWay += 1;
  mostAtOnce = Math.max(mostAtOnce, underWay);
  await new Promise(setImmediate);
  underWay -= 1;
  return tokensFor(3600);
}

const emptyHeap = heapUsed();

async function step(name: string, run: () => void | Promise<void>): Promise<void> {
  const start = performance.now();
  await run();
  const ms = performance.now() - start;
  steps.push({ name, ms, heapBytes: heapUsed() - emptyHeap });
}

function forEach(call: (source: TokenSource) => Promise<unknown>): Promise<void> {
  let next = 0;
  return inParallel(count, LANES, () => call(sources[next++]!));
}

await step('made', () => {
  const options = { origins: ['https://api.example.com'], refresh };
  for (let number = 0; number < count; number += 1) {
    sources.push(createTokenSource({ ...options, account: `account-${number}` }));
  }
});
await step('signed in', () => forEach((source) => source.signIn(tokensFor(3600))));
await step('asked', () => forEach((source) => source.getAccessToken()));
await step('signed in, expired', () => forEach((source) => source.signIn(tokensFor(0))));
await step('asked, refreshed', () => forEach((source) => source.getAccessToken()));
await step('closed', async () => {
  await forEach((source) => source.close());
  sources.length = 0;
});
process.send!({ steps, exchanges, mostAtOnce } satisfies AccountsRun);
