import { setTimeout as pause } from 'node:timers/promises';
import { BODY_KINDS, type BodyKind } from './bodies.ts';
import type { Traffic } from './traffic.ts';

/** Milliseconds of each read, and of the same read with a static token. */
export interface Latencies {
  readonly kept: number[];
  readonly fixed: number[];
}

const PAUSE_MS = 20;
const WORKERS = 4;

/** What each worker does, over and over. */
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

async function timed(call: () => Promise<unknown>, into: number[] | undefined): Promise<void> {
  const startedAt = performance.now();
  await call();
  into?.push(performance.now() - startedAt);
}

/** The two reads, one after the other; which is the first changes, because the second finds everything warm. */
async function readBoth(
  traffic: Traffic,
  { client, turn }: { client: number; turn: number },
  latencies: Latencies | undefined,
): Promise<void> {
  const { sends, fixed, call, api } = traffic;
  const reads = [
    () => timed(() => call(sends[client]!, `${api}/read`), latencies?.kept),
    () => timed(() => fixed[client]!(`${api}/read`), latencies?.fixed),
  ];
  if (turn % 4 < 2) reads.reverse();
  for (const read of reads) await read();
}

async function work(
  traffic: Traffic,
  { client, first, isOn }: { client: number; first: number; isOn: () => boolean },
  latencies: Latencies | undefined,
): Promise<void> {
  const { sends, call, api, elsewhere } = traffic;
  const send = sends[client]!;
  for (let turn = first; isOn(); turn += 1) {
    const step = STEPS[turn % STEPS.length]!;
    if (isBodyKind(step)) await call(send, `${api}/upload`, step);
    else if (step === 'link') await call(send, `${elsewhere}/linked`);
    else if (step === 'redirect') await call(send, `${api}/moved`);
    else await readBoth(traffic, { client, turn }, latencies);
    await pause(PAUSE_MS);
  }
}

/** Reads, posts, uploads, links and redirects through both clients until it is stopped. */
export function startSteady(traffic: Traffic, latencies?: Latencies): { stop(): Promise<void> } {
  let on = true;
  const workers = Array.from({ length: WORKERS }, (_, index) =>
    work(traffic, { client: index % 2, first: index * 3, isOn: () => on }, latencies),
  );
  return {
    async stop() {
      on = false;
      await Promise.all(workers);
    },
  };
}
