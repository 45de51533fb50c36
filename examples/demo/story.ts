import { setTimeout as pause } from 'node:timers/promises';
import { probe } from './probe.ts';
import { LIFETIME_MS } from './provider.ts';
import { startSteady } from './steady.ts';
import { burst } from './traffic.ts';
import type { World } from './world.ts';

export interface Chapter {
  readonly title: string;
  run(world: World): Promise<void>;
}

/** Waits for something to happen; a run in which it does not goes on, and is no proof in the end. */
async function until(happened: () => boolean, patienceMs: number): Promise<void> {
  for (const end = Date.now() + patienceMs; !happened() && Date.now() < end;) await pause(10);
}

async function nextRefresh({ tally }: World, patienceMs: number): Promise<void> {
  const { refreshes } = tally;
  await until(() => tally.refreshes > refreshes, patienceMs);
}

/** The API counts in whole seconds, and grants one. */
function isExpired({ authorizationServer }: World): boolean {
  const { issuedAt, lifetimeMs } = authorizationServer.issuance.newest();
  return Date.now() > issuedAt + lifetimeMs + 1100;
}

async function expiredBurst(world: World): Promise<void> {
  const { sends, fixed, call, api } = world.traffic;
  const url = `${api}/read`;
  // While the token expires; connections and code are warm then.
  await burst(fixed, 1000, (send) => send(url));
  await until(() => isExpired(world), 10_000);
  const late = isExpired(world);
  await burst(sends, 1000, (send) => {
    if (late) world.tally.burst += 1;
    return call(send, url);
  });
}

/** Ends with a young access token, as the next chapters need it. */
async function expiries(world: World): Promise<void> {
  const steady = startSteady(world.traffic, world.latencies);
  await pause(1.5 * LIFETIME_MS);
  await nextRefresh(world, LIFETIME_MS);
  await steady.stop();
}

/** Some of the refused hear of it at once, the others when everything is long in order again. */
async function revocation({ authorizationServer, traffic }: World): Promise<void> {
  const early = traffic.held('early');
  const late = traffic.held('late');
  const arrived = Promise.all([early, late].map(({ hold, count }) => hold.arrived(count)));
  await Promise.race([arrived, pause(LIFETIME_MS)]);
  authorizationServer.issuance.revokeNewest();
  early.hold.release();
  await early.done;
  late.hold.release();
  await late.done;
}

async function droppedConnections(world: World): Promise<void> {
  const { door, issuance } = world.authorizationServer;
  const steady = startSteady(world.traffic);
  door.resetNext(2);
  issuance.revokeNewest();
  await Promise.all([world.traffic.dropped(), nextRefresh(world, 2 * LIFETIME_MS)]);
  await steady.stop();
}

/** From the moment when the token is due, and still good for a while: that while can be used to look who waits. */
async function heldOutage(world: World): Promise<void> {
  const { tally, authorizationServer } = world;
  const { shortOutages } = tally;
  const { promise: heldUntil, resolve: release } = Promise.withResolvers<void>();
  authorizationServer.door.failFor({
    kind: 'shortOutages',
    ms: 200,
    refusals: 2,
    explains: 2,
    heldUntil,
  });
  await until(() => tally.shortOutages > shortOutages, 2 * LIFETIME_MS);
  const probed = tally.shortOutages > shortOutages ? await probe(world) : undefined;
  release();
  await Promise.all([probed?.done, nextRefresh(world, 2 * LIFETIME_MS)]);
}

async function shortOutage(world: World): Promise<void> {
  const steady = startSteady(world.traffic);
  // A machine that stalls may let the while pass.
  for (let tries = 0; tries < 3 && world.tally.probes === 0; tries += 1) await heldOutage(world);
  await steady.stop();
}

/** From the moment when the token is due: it expires meanwhile. Who heeds Retry-After asks twice. */
async function longOutage(world: World): Promise<void> {
  world.authorizationServer.door.failFor({ kind: 'longOutages', ms: 1500, retryAfter: 1, explains: 2 });
  const steady = startSteady(world.traffic);
  await nextRefresh(world, 2 * LIFETIME_MS);
  await steady.stop();
}

export const STORY: readonly Chapter[] = [
  { title: '1,000 requests at once on an expired token', run: expiredBurst },
  { title: 'steady traffic while tokens expire', run: expiries },
  { title: 'a token revoked in mid-flight', run: revocation },
  { title: 'connections dropped, token endpoint included', run: droppedConnections },
  { title: 'token endpoint down for less than a lifetime', run: shortOutage },
  { title: 'token endpoint down for more than a lifetime', run: longOutage },
];
