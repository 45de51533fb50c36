import { setTimeout as pause } from 'node:timers/promises';
import { LIFETIME_MS } from './authorization-server.ts';
import type { World } from './world.ts';

export interface Chapter {
  readonly title: string;
  run(world: World): Promise<void>;
}

/** Waits for something to happen; a run in which it does not goes on all the same. */
async function until(happened: () => boolean, patienceMs: number): Promise<void> {
  for (const end = Date.now() + patienceMs; !happened() && Date.now() < end;) await pause(10);
}

async function nextRefresh({ tally }: World, patienceMs: number): Promise<void> {
  const { refreshes } = tally;
  await until(() => tally.refreshes > refreshes, patienceMs);
}

/** The API counts in whole seconds, and grants one. */
function isExpired({ authorizationServer }: World): boolean {
  const { issuedAt, lifetimeMs } = authorizationServer.newest();
  return Date.now() > issuedAt + lifetimeMs + 1100;
}

async function burst(world: World): Promise<void> {
  await world.traffic.staticBurst(1000);
  await until(() => isExpired(world), 10_000);
  await world.traffic.burst(1000);
}

/** Ends with a young access token, as the next chapters need it. */
async function steady(world: World): Promise<void> {
  const traffic = world.traffic.steady(world.latencies);
  await pause(2 * LIFETIME_MS - 1500);
  await nextRefresh(world, LIFETIME_MS);
  await traffic.stop();
}

/** Some of the refused hear of it at once, the others when everything is long in order again. */
async function revocation({ authorizationServer, traffic }: World): Promise<void> {
  const early = traffic.held('early');
  const late = traffic.held('late');
  await Promise.race([
    Promise.all([early, late].map(({ hold, count }) => hold.arrived(count))),
    pause(LIFETIME_MS, undefined, { ref: false }),
  ]);
  authorizationServer.revoke();
  early.hold.release();
  await early.done;
  late.hold.release();
  await late.done;
}

async function droppedConnections(world: World): Promise<void> {
  const { authorizationServer } = world;
  const traffic = world.traffic.steady();
  authorizationServer.door.resetNext(2);
  authorizationServer.revoke();
  await Promise.all([world.traffic.dropped(), nextRefresh(world, 5000)]);
  await traffic.stop();
}

async function shortOutage(world: World): Promise<void> {
  world.authorizationServer.door.failFor({ ms: 200, refusals: 2 });
  const traffic = world.traffic.steady();
  await nextRefresh(world, 2 * LIFETIME_MS);
  await traffic.stop();
}

async function longOutage(world: World): Promise<void> {
  world.authorizationServer.door.failFor({ ms: 1500, retryAfter: 1 });
  const traffic = world.traffic.steady();
  await nextRefresh(world, 2 * LIFETIME_MS);
  await traffic.stop();
}

export const STORY: readonly Chapter[] = [
  { title: '1,000 requests at once on an expired token', run: burst },
  { title: 'steady traffic while tokens expire', run: steady },
  { title: 'a token revoked in mid-flight', run: revocation },
  { title: 'connections dropped, token endpoint included', run: droppedConnections },
  { title: 'token endpoint down for less than a lifetime', run: shortOutage },
  { title: 'token endpoint down for more than a lifetime', run: longOutage },
];
