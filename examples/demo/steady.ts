import { setTimeout as pause } from 'node:timers/promises';
import { BODY_KINDS, type BodyKind } from './bodies.ts';
import { CLIENTS, type ClientName } from './clients.ts';
import type { Traffic } from './traffic.ts';

/** Milliseconds of each read, and of the same read with a static token. */
export interface Latencies {
  readonly kept: number[];
  readonly fixed: number[];
}

const PAUSE_MS = 20;

/** What is done through each client, over and over. */
const STEPS = [
  'read',
  'json',
  'read',
  'multipart',
  'read',
  'stream',
  'read',
  'link',
  'read',
  'reopened',
  'read',
  'redirect',
] as const;

function isBodyKind(step: string): step is BodyKind {
  return (BODY_KINDS as readonly string[]).includes(step);
}

async function timed(call: Promise<unknown>, into: number[] | undefined): Promise<void> {
  const startedAt = performance.now();
  await call;
  into?.push(performance.now() - startedAt);
}

/** Reads, posts, uploads, links and redirects through all clients until it is stopped. */
export function startSteady(traffic: Traffic, latencies?: Latencies): { stop(): Promise<void> } {
  let on = true;

  /** The two reads, one after the other; which is the first changes, because the second finds everything warm. */
  async function readBoth(client: ClientName, turn: number): Promise<void> {
    const reads = [
      () => timed(traffic.call(client, '/read'), latencies?.kept),
      () => timed(traffic.fixed(client, '/read'), latencies?.fixed),
    ];
    if (turn % 4 < 2) reads.reverse();
    for (const read of reads) await read();
  }
  async function take(step: (typeof STEPS)[number], client: ClientName, turn: number): Promise<void> {
    if (isBodyKind(step)) await traffic.call(client, '/upload', step);
    else if (step === 'link') await traffic.link(client);
    else if (step === 'redirect') await traffic.call(client, '/moved');
    else await readBoth(client, turn);
  }
  async function work(client: ClientName, first: number): Promise<void> {
    for (let turn = first; on; turn += 1) {
      await take(STEPS[turn % STEPS.length]!, client, turn);
      await pause(PAUSE_MS);
    }
  }
  const workers = CLIENTS.map((client, index) => work(client, index * 3));
  return {
    async stop() {
      on = false;
      await Promise.all(workers);
    },
  };
}
