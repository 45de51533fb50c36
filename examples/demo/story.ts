import { setTimeout as pause } from 'node:timers/promises';
import { CLIENTS } from './clients.ts';
import { probe } from './probe.ts';
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

async function nextRefresh({ authorizationServer, tally }: World): Promise<void> {
  const { refreshes } = tally.all;
  await until(() => tally.all.refreshes > refreshes, 2 * authorizationServer.lifetimeMs);
}

/** The API counts in whole seconds, and grants one. */
function isExpired({ authorizationServer }: World): boolean {
  const { issuedAt, lifetimeMs } = authorizationServer.issuance.newest();
  return Date.now() > issuedAt + lifetimeMs + 1100;
}

async function expiredBurst(world: World): Promise<void> {
  const { tally, traffic } = world;
  // While the token expires; connections and code are warm then.
  await burst(1000, (client) => traffic.fixed(client, '/read'));
  await until(() => isExpired(world), 10_000);
  const late = isExpired(world);
  await burst(1000, (client) => {
    if (late) tally.add('burst');
    return traffic.call(client, '/read');
  });
}

/** Ends with a young access token that all have heard of, as the next chapter needs it. */
async function expiries(world: World): Promise<void> {
  const { authorizationServer, latencies, processes, traffic } = world;
  const steady = startSteady(traffic, latencies);
  await pause(authorizationServer.lifetimeMs);
  await nextRefresh(world);
  await until(
    () => authorizationServer.issuance.settled() >= CLIENTS.length * processes,
    authorizationServer.lifetimeMs,
  );
  await steady.stop();
}

/** Some of the refused hear of it at once, the others when everything is long in order again. */
async function revokeInFlight({ authorizationServer, traffic }: World): Promise<void> {
  const { issuance } = authorizationServer;
  const early = traffic.held('early');
  const late = traffic.held('late');
  const arrived = Promise.all([early, late].map(({ hold, count }) => hold.arrived(count)));
  await Promise.race([arrived, pause(authorizationServer.lifetimeMs)]);
  // Who was sent with the access token before the newest would find, at the replay, that one revoked too.
  if (issuance.settled() >= early.count + late.count) issuance.revokeAll();
  early.hold.release();
  await early.done;
  late.hold.release();
  await late.done;
}

async function revocation(world: World): Promise<void> {
  const { revocations } = world.tally.all;
  await revokeInFlight(world);
  // On a machine that stalls, or where a process had not heard of the newest access token.
  for (let tries = 1; tries < 5 && world.tally.all.revocations === revocations; tries += 1) {
    await expiries(world);
    await revokeInFlight(world);
  }
}

async function droppedConnections(world: World): Promise<void> {
  const { traffic, authorizationServer, processes } = world;
  const steady = startSteady(traffic);
  const callers = CLIENTS.length * processes;
  await until(() => authorizationServer.issuance.settled() >= callers, 2 * authorizationServer.lifetimeMs);
  authorizationServer.door.resetNext(2);
  authorizationServer.issuance.revokeAll();
  await Promise.all([...CLIENTS.map((client) => traffic.dropped(client)), nextRefresh(world)]);
  await steady.stop();
}

/** From the moment when the token is due, and still good for a while: that while is used to look who waits. */
async function heldOutage(world: World): Promise<void> {
  const { tally, authorizationServer } = world;
  const { shortOutages, refusals } = tally.all;
  const { promise: heldUntil, resolve: release } = Promise.withResolvers<void>();
  const fault = { kind: 'shortOutages', ms: 200, refusals: 2, heldUntil } as const;
  authorizationServer.door.failFor(fault);
  await until(() => tally.all.shortOutages > shortOutages, 2 * authorizationServer.lifetimeMs);
  const isHeld = tally.all.shortOutages > shortOutages;
  const probed = isHeld ? await probe(world, tally.all.refusals > refusals) : undefined;
  release();
  await Promise.all([probed?.done, nextRefresh(world)]);
}

async function shortOutage(world: World): Promise<void> {
  const steady = startSteady(world.traffic);
  // A machine that stalls may let the while pass.
  for (let tries = 0; tries < 5 && world.tally.all.probes === 0; tries += 1) await heldOutage(world);
  await steady.stop();
}

/** From the moment when the token is due: it expires meanwhile. Who heeds Retry-After asks twice. */
async function longOutage(world: World): Promise<void> {
  const { door } = world.authorizationServer;
  door.failFor({ kind: 'longOutages', ms: 1500, retryAfter: 1 });
  const steady = startSteady(world.traffic);
  await nextRefresh(world);
  await steady.stop();
}

export const STORY: readonly Chapter[] = [
  { title: '1,000 calls on one expired token', run: expiredBurst },
  { title: 'steady traffic while tokens expire', run: expiries },
  { title: 'a token revoked in mid-flight', run: revocation },
  { title: 'connections dropped at both servers', run: droppedConnections },
  { title: 'a short outage of the token endpoint', run: shortOutage },
  { title: 'a long outage of the token endpoint', run: longOutage },
];
