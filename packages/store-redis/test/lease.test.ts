import { afterEach, expect, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import type { ExclusiveSection } from '@unexpired/core';
import { createRedisStore } from '@unexpired/store-redis';
import { describeRedis } from './redis-server.ts';
import { aborted, HASTY, openScene, patient, TIMES, type ClientName, type Scene } from './scene.ts';

const LEASE = 'app:{default}:lease';
/** A lease whose extension a test can wait for. */
const BRIEF = { ...TIMES, leaseMs: 3000 };
const record = { version: 1, revision: 1, epoch: 'e', generation: 1 } as const;

let scene: Scene;

/** A section that stays open until `leave`. */
async function enter(
  store: Scene['store'],
): Promise<{ section: ExclusiveSection; leave: () => Promise<void> }> {
  const entered = Promise.withResolvers<ExclusiveSection>();
  const left = Promise.withResolvers<void>();
  const running = store.runExclusive(
    'default',
    (section) => {
      entered.resolve(section);
      return left.promise;
    },
    patient,
  );
  running.catch((error: unknown) => entered.reject(error));
  const section = await entered.promise;
  return {
    section,
    leave() {
      left.resolve();
      return running;
    },
  };
}

describeRedis('the lease', () => {
  afterEach(() => scene.close());

  test('is extended for as long as its section runs, and is gone after it', async () => {
    scene = await openScene({ times: BRIEF });
    const { section, leave } = await enter(scene.store);
    let lowest = Infinity;
    for (const end = performance.now() + 2 * BRIEF.leaseMs; performance.now() < end;) {
      lowest = Math.min(lowest, Number(await scene.command('PTTL', LEASE)));
      await delay(20);
    }

    expect(lowest).toBeGreaterThan(0);
    expect(section.signal.aborted).toBe(false);
    await leave();
    expect(await scene.command('EXISTS', LEASE)).toBe(0);
  });

  test('of a holder that is gone ends by itself', async () => {
    scene = await openScene();
    await scene.command('SET', LEASE, 'of a process that was killed', 'PX', '500');

    const { section, leave } = await enter(scene.store);

    expect(section.signal.aborted).toBe(false);
    await leave();
  });

  test('of a holder that is gone ends before the default `lockMs` does', async () => {
    scene = await openScene();
    const store = createRedisStore({ client: scene.client, prefix: 'app:' });
    const { leave } = await enter(store);

    expect(Number(await scene.command('PTTL', LEASE))).toBeLessThan(25_000);
    await leave();
  });

  test('is given up before the server gives it to another, where it cannot be extended', async () => {
    // Long enough for a machine that halts now and then: it is given up a tenth of it before its end.
    scene = await openScene({ times: { leaseMs: 8000, commandMs: 1500 } });
    const { section, leave } = await enter(scene.store);
    scene.proxy.hold('both');

    await aborted(section.signal);

    expect(Number(await scene.command('PTTL', LEASE))).toBeGreaterThan(0);
    scene.proxy.release();
    await leave();
  });

  test('that another holds is neither extended nor released', async () => {
    scene = await openScene({ times: BRIEF });
    const { section, leave } = await enter(scene.store);
    await scene.command('SET', LEASE, 'of another', 'PX', '60000');

    await aborted(section.signal);
    await leave();

    expect(await scene.command('GET', LEASE)).toBe('of another');
    expect(Number(await scene.command('PTTL', LEASE))).toBeGreaterThan(50_000);
  });

  test('that was lost is noticed by a check at once', async () => {
    scene = await openScene();
    const { section, leave } = await enter(scene.store);
    await section.check?.();
    expect(section.signal.aborted).toBe(false);
    await scene.command('DEL', LEASE);

    await section.check?.();

    expect(section.signal.aborted).toBe(true);
    await leave();
  });

  test('that was lost refuses a claim in the same step, and lets tokens through', async () => {
    scene = await openScene();
    const { section, leave } = await enter(scene.store);
    await scene.store.write('default', { ...record, claim: { at: 1 } }, undefined);
    await scene.command('SET', LEASE, 'of another');

    const claim = scene.store.write('default', { ...record, revision: 2, claim: { at: 2 } }, 1);

    await expect(claim).rejects.toMatchObject({ code: 'ERR_STORE_FAILED' });
    expect(section.signal.aborted).toBe(true);
    expect(await scene.store.write('default', { ...record, revision: 2 }, 1)).toBe(true);
    await leave();
  });

  test('that comes after its command was given up is given back', async () => {
    scene = await openScene({ times: HASTY });
    scene.proxy.hold('from-redis');
    await expect(enter(scene.store)).rejects.toThrow('Redis could not be used: it did not answer');
    expect(await scene.command('EXISTS', LEASE)).toBe(1);

    scene.proxy.release();

    const { leave } = await enter(scene.other);
    await leave();
  });

  test.each<ClientName>(['redis', 'ioredis'])(
    'whose answer was lost with the connection keeps nobody out, over %s',
    async (name) => {
      scene = await openScene({ name });
      scene.proxy.hold('from-redis');
      const entering = scene.store.runExclusive('default', () => Promise.resolve(), patient);
      const settled = entering.catch(() => undefined);
      while ((await scene.command('EXISTS', LEASE)) === 0) await delay(5);

      scene.proxy.cut();
      scene.proxy.mend();

      await settled;
      const { leave } = await enter(scene.other);
      await leave();
    },
  );

  test('that comes after an abort is given back', async () => {
    scene = await openScene();
    scene.proxy.hold('from-redis');
    const reason = new Error('no patience');
    const waiting = new AbortController();
    const entering = scene.store.runExclusive('default', () => Promise.resolve(), waiting.signal);
    while ((await scene.command('EXISTS', LEASE)) === 0) await delay(5);

    waiting.abort(reason);

    await expect(entering).rejects.toBe(reason);
    scene.proxy.release();
    const { leave } = await enter(scene.other);
    await leave();
  });

  test('an abort while another holds it ends the waiting at once', async () => {
    scene = await openScene();
    const { leave } = await enter(scene.other);
    const reason = new Error('no patience');
    const waiting = new AbortController();
    const entering = scene.store.runExclusive('default', () => Promise.resolve(), waiting.signal);
    await delay(50);

    waiting.abort(reason);

    await expect(entering).rejects.toBe(reason);
    await leave();
  });

  test('dates claims by the clock of the server', async () => {
    scene = await openScene();
    const wall = Date.now;
    // A machine whose clock is an hour ahead.
    Date.now = () => wall() + 3_600_000;
    try {
      const { section, leave } = await enter(scene.store);
      const [seconds, micros] = (await scene.command('TIME')) as [string, string];
      const serverMs = Number(seconds) * 1000 + Number(micros) / 1000;
      expect(Math.abs(section.clock!.now() - serverMs)).toBeLessThan(5000);
      await leave();
    } finally {
      Date.now = wall;
    }
  });
});
