import { inspect } from 'node:util';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { CredentialRecord } from '@unexpired/core';
import type { IoRedisClient, RedisClient } from '@unexpired/store-redis';
import { openRedisStore } from '../src/redis-store.ts';
import { describeRedis } from './redis-server.ts';
import { HASTY, openScene, patient, TIMES, type ClientName, type Scene } from './scene.ts';

const RECORD = 'app:{default}:record';

function recordOf(revision: number, members: Partial<CredentialRecord> = {}): CredentialRecord {
  return {
    version: 1,
    revision,
    epoch: 'e',
    generation: 1,
    tokens: { access_token: 'secret-access', refresh_token: 'secret-refresh' },
    ...members,
  };
}

let scene: Scene;

/** Every call of a store, each with its own end. */
function callAll({ store }: Scene): Promise<PromiseSettledResult<unknown>[]> {
  return Promise.allSettled([
    store.read('default'),
    store.write('default', recordOf(2), 1),
    store.runExclusive('default', () => Promise.resolve(), patient),
  ]);
}

function reasonsOf(outcomes: readonly PromiseSettledResult<unknown>[]): string[] {
  return outcomes.map((outcome) => (outcome.status === 'rejected' ? String(outcome.reason) : 'fulfilled'));
}

/** A client of ioredis that can send its last command again, as it does when the answer was lost. */
function repeating(client: RedisClient): { readonly client: RedisClient; readonly repeat: () => unknown } {
  let last: Parameters<IoRedisClient['eval']>;
  const real = client as IoRedisClient;
  const send = (...call: Parameters<IoRedisClient['eval']>): Promise<unknown> => {
    last = call;
    return real.eval(...call);
  };
  return {
    client: { eval: send, evalsha: () => Promise.reject(new Error('unused')) },
    repeat: () => send(...last),
  };
}

async function errorOf(call: unknown): Promise<unknown> {
  try {
    return `resolved to ${String(await call)}`;
  } catch (error) {
    return error;
  }
}

describeRedis('faults', () => {
  afterEach(() => scene.close());

  describe.each<ClientName>(['redis', 'ioredis'])('over %s', (name) => {
    test.each<[string, (scene: Scene) => unknown, (scene: Scene) => unknown]>([
      ['is halted', ({ server }) => server.pause(), ({ server }) => server.resume()],
      ['was killed', ({ server }) => server.kill(), ({ server }) => server.start()],
      ['is cut off', ({ proxy }) => proxy.cut(), ({ proxy }) => proxy.mend()],
      ['swallows what it is sent', ({ proxy }) => proxy.hold('both'), ({ proxy }) => proxy.release()],
      [
        'pauses its clients',
        ({ command }) => command('CLIENT', 'PAUSE', '5000', 'ALL'),
        ({ command }) => command('CLIENT', 'UNPAUSE').catch(() => undefined),
      ],
    ])(
      'a Redis that %s makes every call end in an error, and serves again afterwards',
      async (_, harm, mend) => {
        scene = await openScene({
          name,
          times: HASTY,
          settings: ['--appendonly', 'yes', '--appendfsync', 'always'],
        });
        await scene.store.write('default', recordOf(1), undefined);

        await harm(scene);
        const failed = reasonsOf(await callAll(scene));
        await mend(scene);

        for (const reason of failed) expect(reason).toMatch(/^AccessTokenError: Redis could not be used: /);
        let served: PromiseSettledResult<unknown>[];
        // The client finds its way back in its own time.
        do served = await callAll(scene);
        while (served.some(({ status }) => status === 'rejected'));
        expect((await scene.other.read('default'))?.tokens?.refresh_token).toBe('secret-refresh');
      },
    );
  });

  test('a write that was given up and lands later changes nothing newer', async () => {
    scene = await openScene({ times: HASTY });
    await scene.store.write('default', recordOf(1), undefined);
    scene.proxy.hold('to-redis');
    const late = scene.store.write('default', recordOf(2, { mark: 'late' }), 1);
    await expect(late).rejects.toThrow('Redis could not be used: it did not answer within 1500 ms');
    await scene.other.write('default', recordOf(2, { mark: 'newer' }), 1);

    scene.proxy.release();

    // Behind the late one on the same connection.
    expect(await scene.store.read('default')).toMatchObject({ revision: 2, mark: 'newer' });
  });

  test('a sign-in over anything that a client sends again replaces nothing newer', async () => {
    scene = await openScene();
    const { client, repeat } = repeating(scene.client);
    const store = openRedisStore({ client, prefix: 'app:' }, TIMES);
    await store.write('default', recordOf(1), undefined);
    await store.write('default', recordOf(2, { mark: 'late' }), 'replace');
    await scene.other.write('default', recordOf(3, { mark: 'newer' }), 2);

    expect(await repeat()).toBe('changed');

    expect(await scene.store.read('default')).toMatchObject({ revision: 3, mark: 'newer' });
  });

  test('a Redis that was flushed has no record, and no lease that stands in the way', async () => {
    scene = await openScene();
    await scene.store.write('default', recordOf(1), undefined);
    await scene.store.runExclusive(
      'default',
      async ({ signal, check }) => {
        await scene.command('FLUSHALL');
        await scene.other.runExclusive('default', () => Promise.resolve(), patient);
        await check?.();
        expect(signal.aborted).toBe(true);
      },
      patient,
    );

    expect(await scene.store.read('default')).toBeUndefined();
    expect(await scene.store.write('default', recordOf(2), 1)).toBe(false);
  });

  test('a Redis that lost its last writes, as a failover may, refuses what was based on them', async () => {
    scene = await openScene({ settings: ['--appendonly', 'no'] });
    await scene.store.write('default', recordOf(1), undefined);
    await scene.command('SAVE');
    await scene.store.write('default', recordOf(2), 1);
    await scene.server.kill();
    await scene.server.start();

    while ((await errorOf(scene.store.read('default'))) instanceof Error);
    const stored = await scene.store.read('default');

    expect(stored?.revision).toBe(1);
    expect(await scene.store.write('default', recordOf(3), 2)).toBe(false);
    expect(await scene.store.write('default', recordOf(2), 1)).toBe(true);
  });

  test('a Redis that is out of memory refuses leases and writes, and still shows what it has', async () => {
    scene = await openScene();
    await scene.store.write('default', recordOf(1), undefined);
    await scene.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    await scene.command('CONFIG', 'SET', 'maxmemory', '1');

    const [read, write, enter] = reasonsOf(await callAll(scene));

    expect(read).toBe('fulfilled');
    expect(write).toMatch(/^AccessTokenError: Redis could not be used: .*OOM/);
    expect(enter).toMatch(/^AccessTokenError: Redis could not be used: .*OOM/);
    await scene.command('CONFIG', 'SET', 'maxmemory', '0');
    expect(await scene.store.read('default')).toEqual(recordOf(1));
  });

  test('a script cache that was flushed is filled again', async () => {
    scene = await openScene();
    await scene.store.write('default', recordOf(1), undefined);
    await scene.command('SCRIPT', 'FLUSH');

    expect(reasonsOf(await callAll(scene))).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
  });

  test.each([
    ['a text', ['SET', RECORD, 'secret-refresh']],
    ['a list', ['RPUSH', RECORD, 'secret-refresh']],
    ['a hash of another kind', ['HSET', RECORD, 'user', 'secret-refresh']],
    ['half a record', ['HSET', RECORD, 'revision', '1']],
    ['a record that is no JSON', ['HSET', RECORD, 'revision', '1', 'record', 'secret-refresh']],
    ['a record that is no object', ['HSET', RECORD, 'revision', '1', 'record', '"secret-refresh"']],
  ])(
    '%s in its place is an error without its content, and only a sign-in replaces it, keeping it aside',
    async (_, put) => {
      scene = await openScene();
      await scene.command(...put);
      const before = await scene.command('DUMP', RECORD);

      await expect(scene.store.read('default')).rejects.toThrow(/^(?!.*secret)/);
      const outcome = String(await errorOf(scene.store.write('default', recordOf(1), undefined)));
      expect(outcome).toMatch(/^(?!.*secret)(resolved to false|AccessTokenError: Redis could not be used: )/);
      expect(await scene.command('DUMP', RECORD)).toEqual(before);

      expect(await scene.store.write('default', recordOf(7), 'replace')).toBe(true);
      expect(await scene.store.read('default')).toEqual(recordOf(7));
      expect(await scene.command('DUMP', 'app:{default}:aside')).toEqual(before);
    },
  );

  test('something else in the place of the lease is an error, not a section without one', async () => {
    scene = await openScene();
    await scene.command('RPUSH', 'app:{default}:lease', 'x');

    const entering = scene.store.runExclusive('default', () => Promise.resolve(), patient);

    await expect(entering).rejects.toThrow(/WRONGTYPE/);
  });

  test('no error shows the record that was being written', async () => {
    scene = await openScene();
    await scene.command('ACL', 'SETUSER', 'default', '-eval');

    const error = await errorOf(scene.store.write('default', recordOf(1), undefined));

    expect(inspect(error, { depth: Infinity, showHidden: true })).toMatch(/NOPERM/);
    expect(inspect(error, { depth: Infinity, showHidden: true })).not.toMatch(/secret/);
  });

  test('a user who may publish nothing writes and takes turns all the same', async () => {
    scene = await openScene();
    await scene.command('ACL', 'SETUSER', 'default', '-publish');

    expect(await scene.store.write('default', recordOf(1), undefined)).toBe(true);
    await scene.store.runExclusive('default', () => Promise.resolve(), patient);
    expect(await scene.command('EXISTS', 'app:{default}:lease')).toBe(0);
  });

  test('many accounts are read, written and locked side by side', async () => {
    scene = await openScene();
    const accounts = Array.from({ length: 1000 }, (_, i) => `account ${i}`);

    await Promise.all(
      accounts.map((account) =>
        scene.store.runExclusive(
          account,
          () => scene.other.write(account, recordOf(1, { account }), undefined) as Promise<boolean>,
          patient,
        ),
      ),
    );

    const stored = await Promise.all(accounts.map(async (account) => scene.store.read(account)));
    expect(stored.map((record) => record?.['account'])).toEqual(accounts);
    expect(await scene.command('DBSIZE')).toBe(1000);
  });
});
