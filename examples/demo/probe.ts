import { LIFETIME_MS } from './provider.ts';
import type { World } from './world.ts';

const ROUNDS = 4;

/** Reads with a static token, one after the other, that a read through a client may take; on a slow machine both are slow. */
const PACE = 20;

/** unexpired spares the last tenth of so short a life; a bit more, for the time between a request and its arrival. */
const SPARED = 0.13;

function isGood({ authorizationServer }: World): boolean {
  const { issuedAt, lifetimeMs } = authorizationServer.issuance.newest();
  return Date.now() < issuedAt + lifetimeMs - SPARED * LIFETIME_MS;
}

/**
 * Reads while a refresh is kept back and the access token is good: none may wait for that refresh. A read that does is
 * not done before the refresh is; `done` settles with the last of them.
 */
export async function probe(world: World): Promise<{ readonly done: Promise<unknown> }> {
  const { tally, traffic } = world;
  const { sends, fixed, call } = traffic;
  const url = `${traffic.api}/read`;
  const reads: Promise<void>[] = [];

  async function readOnce(client: number): Promise<void> {
    let isDone = false;
    reads.push(call(sends[client]!, url).then(() => void (isDone = true)));
    for (let turn = 0; turn < PACE && !isDone; turn += 1) await fixed[client]!(url);
    if (!isGood(world)) return;
    tally.probes += 1;
    if (!isDone) tally.waits += 1;
  }

  for (let round = 0; round < ROUNDS && isGood(world); round += 1) {
    for (const client of sends.keys()) await readOnce(client);
  }
  return { done: Promise.all(reads) };
}
