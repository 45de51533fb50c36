import { CLIENTS } from './clients.ts';
import type { World } from './world.ts';

/** Reads through each client. */
const READS = 2;

/** Reads with a static token, one after the other, that a read may take; on a slow machine both are slow. */
const PACE = 20;

/** unexpired spares the last tenth of so short a life; a bit more, for the time between a request and its arrival. */
const SPARED = 0.15;

function isGood({ authorizationServer }: World): boolean {
  const { issuedAt, lifetimeMs } = authorizationServer.issuance.newest();
  return Date.now() < issuedAt + lifetimeMs - SPARED * authorizationServer.lifetimeMs;
}

/**
 * Reads while a refresh is kept back. None has a reason to wait for it if the access token is good; nor if the client
 * refreshes only after a 401, because it could have refreshed in time. A read that waits is not done before the refresh
 * is; `done` settles with the last of them.
 */
export async function probe(world: World, isLate: boolean): Promise<{ readonly done: Promise<unknown> }> {
  const { tally, traffic } = world;
  const reads = CLIENTS.flatMap((client) => Array.from({ length: READS }, () => client)).map((client) => {
    const read = { client, isDone: false, done: traffic.call(client, '/read') };
    void read.done.then(() => (read.isDone = true));
    return read;
  });
  const done = Promise.all(reads.map((read) => read.done));
  for (let turn = 0; turn < PACE && reads.some(({ isDone }) => !isDone); turn += 1) {
    await Promise.all(CLIENTS.map((client) => traffic.fixed(client, '/read')));
    // These were sent later: if the token is good even now, it was when the others asked for it.
    if (turn === 0 && !isLate && !isGood(world)) return { done };
  }
  for (const { client, isDone } of reads) {
    tally.add('probes', client);
    if (!isDone) tally.add('waits', client);
  }
  return { done };
}
