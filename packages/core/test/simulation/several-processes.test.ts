import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LIFETIME_MS } from './authorization-server.ts';
import { seededChoose } from './explorer.ts';
import { checkAlways } from './invariants.ts';
import { EVERYTHING, type SimulatedProcess } from './process.ts';
import { createWorld, firstMove, letPass, type World } from './world.ts';

const SOAK = process.env['SOAK'] === '1';
const seed = process.env['SEED'] ? Number(process.env['SEED']) : SOAK ? Date.now() | 0 : 20_260_101;
const HOUR = 3_600_000;
const schedules = fc.noShrink(fc.integer());

async function startThree(hints: boolean): Promise<{ world: World; three: SimulatedProcess[] }> {
  const world = createWorld({ mode: 'strict', check: checkAlways });
  const three = ['A', 'B', 'C'].map((name) => world.start({ name, hints }));
  three[0]!.track(three[0]!.source.signIn(world.server.signIn()));
  await letPass(world, 0);
  for (const one of three) one.getAccessToken();
  await letPass(world, 1000);
  return { world, three };
}

test('I1: three processes with a hundred callers each make one exchange of one expiry', async () => {
  const property = fc.asyncProperty(schedules, fc.boolean(), async (schedule, hints) => {
    const { world, three } = await startThree(hints);
    world.time.pass(LIFETIME_MS);
    const calls = three.flatMap((one) => Array.from({ length: 100 }, () => one.getAccessToken()));
    await world.run(seededChoose(schedule));
    expect(new Set(calls.map(({ token }) => token))).toEqual(new Set([world.server.newestAccessToken]));
    expect(world.server.presentations).toHaveLength(1);
  });
  await fc.assert(property, { numRuns: SOAK ? 1000 : 50, seed });
}, 600_000);

test('I25: each step of the clock costs all processes together at most one exchange', async () => {
  const steps = fc.array(fc.constantFrom(24 * HOUR, -24 * HOUR, 12 * HOUR, -60_000, 60_000), {
    maxLength: 5,
  });
  let exchanges = 0;
  const property = fc.asyncProperty(schedules, fc.boolean(), steps, async (schedule, hints, jumps) => {
    const { world, three } = await startThree(hints);
    const choose = seededChoose(schedule);
    for (const [count, ms] of jumps.entries()) {
      world.time.stepWall(ms);
      for (let again = 0; again < 3; again += 1) {
        for (const one of three) one.request();
        await world.run(choose);
        await letPass(world, 1000);
      }
      expect(three.flatMap(({ calls }) => calls).filter(({ error }) => error)).toEqual([]);
      expect(world.server.presentations.length).toBeLessThanOrEqual(count + 1);
    }
    exchanges += world.server.presentations.length;
  });
  await fc.assert(property, { numRuns: SOAK ? 2000 : 200, seed });
  expect(exchanges).toBeGreaterThan(0);
}, 600_000);

test('I13: a sign-in in one process lifts what another one remembers of a refusal', async () => {
  const property = fc.asyncProperty(schedules, fc.boolean(), async (schedule, hints) => {
    const { world, three } = await startThree(hints);
    const [one, , another] = three as [SimulatedProcess, SimulatedProcess, SimulatedProcess];
    const choose = seededChoose(schedule);
    world.time.pass(LIFETIME_MS);
    world.server.troubles.push('dead');
    one.getAccessToken();
    await world.run(choose);
    expect(one.calls.at(-1)?.error?.code).toBe('ERR_REAUTHENTICATION_REQUIRED');
    another.track(another.source.signIn(world.server.signIn()));
    await world.run(choose);
    await letPass(world, 1500);
    one.getAccessToken();
    await world.run(choose);
    expect(one.calls.at(-1)?.token).toBe(world.server.newestAccessToken);
    expect(one.source.status().health).toBe('ok');
  });
  await fc.assert(property, { numRuns: SOAK ? 1000 : 100, seed });
}, 600_000);

test('I24: while the grant is refused requests carry the fallback, and after a sign-in an access token', async () => {
  const world = createWorld({ mode: 'strict', check: checkAlways });
  const only = world.start({ name: 'A', source: { fallback: 'a-static-key' } });
  const ask = async (): Promise<string | undefined> => {
    const call = only.request();
    await world.run(firstMove);
    return call.token;
  };
  only.track(only.source.signIn(world.server.signIn()));
  await world.run(firstMove);
  expect(await ask()).toBe(world.server.newestAccessToken);
  world.time.pass(LIFETIME_MS);
  world.server.troubles.push('dead');
  for (let again = 0; again < 100; again += 1) expect(await ask()).toBe('a-static-key');
  expect(world.server.presentations).toHaveLength(1);
  only.track(only.source.signIn(world.server.signIn()));
  expect(await ask()).toBe(world.server.newestAccessToken);
});

test('I19: an API that refuses every access token, and lifetimes of nothing, cost few exchanges', async () => {
  const lifetimes = fc.constantFrom(3600, 1, 0, -5);
  const pauses = fc.integer({ min: 1, max: 5000 });
  const property = fc.asyncProperty(lifetimes, pauses, fc.boolean(), async (lifetime, pause, refuses) => {
    const world = createWorld({ mode: 'strict', check: checkAlways });
    const only = world.start({ name: 'A' });
    only.track(only.source.signIn(world.server.signIn()));
    await world.run(firstMove);
    world.server.lifetimeSeconds = lifetime;
    const since = world.time.monotonic();
    for (let again = 0; again < 100; again += 1) {
      only.request(refuses ? EVERYTHING : undefined);
      await world.run(firstMove);
      await letPass(world, pause);
    }
    const seconds = (world.time.monotonic() - since) / 1000;
    // A token of one second is used for nine tenths of it, and the next one is on no trial when it is refused; else an
    // origin's gate opens after 5, 10, 20, 40, 60, 60 … s.
    const ofExpiry = lifetime <= 1 ? (seconds / 0.9) * (refuses ? 2 : 1) : 0;
    const ofRefusal = refuses ? 6 + seconds / 60 : 0;
    expect(world.server.presentations.length).toBeLessThanOrEqual(1 + ofExpiry + ofRefusal);
  });
  await fc.assert(property, { numRuns: SOAK ? 500 : 50, seed });
}, 600_000);
