// Records one expiry on the wire: real requests to servers on loopback, at the times of a clock that nothing else moves,
// so that two runs record the same.
import { setImmediate as turn } from 'node:timers/promises';
import { createAuthorizationServer, createFakeClock, createResourceServer } from '@unexpired/testing';

export const LIFETIME_MS = 60_000;
export const EXCHANGE_MS = 2500;
export const API_MS = 250;
const CALLS = 70;
/** All that is planned happens at a multiple of it. */
const STEP_MS = 250;

/** A fetch that reads each answer to its end before it hands it on: what is under way is then only what a server holds. */
function countingFetch(world) {
  return async (input, init) => {
    world.underway += 1;
    try {
      const response = await fetch(input, init);
      const { status, headers } = response;
      return new Response(await response.text(), { status, headers });
    } finally {
      world.underway -= 1;
    }
  };
}

/** Lets every request arrive and every answer be dealt with, before the clock moves on. */
async function settle(world) {
  for (let calm = 0; calm < 3;) {
    await turn();
    calm = world.underway === world.held + world.authorization.held ? calm + 1 : 0;
  }
}

async function respond(world, { url, bearerToken }) {
  const accepted = world.authorization.isAccessTokenValid(bearerToken);
  const attempt = { arrivedAt: world.time() };
  world.calls[Number(url.slice(1))].attempts.push(attempt);
  world.held += 1;
  await new Promise((resolve) => world.clock.setTimer(resolve, API_MS));
  world.held -= 1;
  Object.assign(attempt, { answeredAt: world.time(), status: accepted ? 200 : 401 });
  const headers = accepted ? {} : { 'WWW-Authenticate': 'Bearer error="invalid_token"' };
  return { status: attempt.status, headers, body: {} };
}

/** Answers each exchange after its time. */
async function serveExchanges({ authorization, clock, exchanges, time }) {
  authorization.always({ hold: 'answer' });
  for (let count = 1; ; count += 1) {
    await authorization.requestArrived(count);
    const exchange = { arrivedAt: time() };
    exchanges.push(exchange);
    clock.setTimer(() => {
      exchange.answeredAt = time();
      authorization.release();
    }, EXCHANGE_MS);
  }
}

async function createWorld() {
  const clock = createFakeClock();
  const start = clock.now();
  const authorization = await createAuthorizationServer({ clock, expiresIn: LIFETIME_MS / 1000 });
  const world = { clock, authorization, underway: 0, held: 0, calls: [], exchanges: [] };
  world.time = () => clock.now() - start;
  world.api = await createResourceServer({ accepts: () => true, respond: (got) => respond(world, got) });
  world.fetch = countingFetch(world);
  // It ends when the server is closed.
  void serveExchanges(world).catch(() => undefined);
  return world;
}

async function call(world, side, number) {
  const made = { startedAt: world.time(), attempts: [] };
  world.calls[number] = made;
  const response = await side(`${world.api.origin}/${number}`);
  Object.assign(made, { endedAt: world.time(), status: response.status });
}

/** One call a second, begun half a second after the full one, over a little more than a lifetime. */
async function play(world, side) {
  const made = [];
  for (let at = 0; at < CALLS * 1000 + EXCHANGE_MS; at += STEP_MS) {
    if (at % 1000 === 500 && made.length < CALLS) made.push(call(world, side, made.length));
    await settle(world);
    await world.clock.advance(STEP_MS);
    await settle(world);
  }
  await Promise.all(made);
}

/** @param connect Makes a fetch from the world, whose own `fetch` it sends with, and the first token response */
export async function record(connect) {
  const world = await createWorld();
  try {
    const first = await world.authorization.signIn();
    await play(world, await connect(world, first));
    return { calls: world.calls, exchanges: world.exchanges };
  } finally {
    await Promise.all([world.authorization.close(), world.api.close()]);
  }
}
