import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Cluster } from 'ioredis';
import { createCluster } from 'redis';
import { createRedisStore, type RedisClient } from '@unexpired/store-redis';
import { keysOf } from '../src/keys.ts';
import { connectWith, type Clients } from './clients.ts';
import { describeRedis, startRedis, type RedisServer } from './redis-server.ts';

let server: RedisServer;
let plain: Clients;

interface Opened {
  readonly client: RedisClient;
  readonly close: () => void;
}

async function openNodeRedis(): Promise<Opened> {
  const cluster = createCluster({ rootNodes: [{ url: server.url }], useReplicas: true });
  cluster.on('error', () => undefined);
  await cluster.connect();
  return { client: cluster, close: () => cluster.destroy() };
}

function openIoRedis(): Opened {
  const cluster = new Cluster([{ host: '127.0.0.1', port: server.port }], { scaleReads: 'all' });
  return { client: cluster, close: () => cluster.disconnect() };
}

describeRedis('a cluster', () => {
  beforeAll(async () => {
    server = await startRedis('--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1');
    plain = await connectWith.ioredis(server.url);
    await plain.command('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    const isUp = async (): Promise<boolean> =>
      String(await plain.command('CLUSTER', 'INFO')).includes('cluster_state:ok');
    while (!(await isUp())) await plain.command('PING');
  });

  afterAll(async () => {
    plain.close();
    await server.close();
  });

  test('has all keys of an account in one slot', async () => {
    for (const account of ['default', 'alice@example.com', '{x}', '}{', '\ud800', 'ü'.repeat(100)]) {
      const { record, lease, aside } = keysOf('app:', account);
      const slots = [record, lease, aside].map((key) => plain.command('CLUSTER', 'KEYSLOT', key));
      expect(new Set(await Promise.all(slots)).size).toBe(1);
    }
  });

  test.each([
    ['redis', openNodeRedis],
    ['ioredis', openIoRedis],
  ])('is used through a client of %s that would read from replicas', async (name, open) => {
    const { client, close } = await open();
    const store = createRedisStore({ client, prefix: `${name}:` });
    const record = { version: 1, revision: 1, epoch: 'e', generation: 1 } as const;

    for (const account of ['a', 'b', 'c', 'd']) {
      const isHeld = await store.runExclusive(
        account,
        async ({ check, signal }) => {
          await store.write(account, { ...record, claim: { at: 1 } }, undefined);
          await check?.();
          return !signal.aborted;
        },
        new AbortController().signal,
      );
      expect(isHeld).toBe(true);
      expect(await store.write(account, record, 'replace')).toBe(true);
      expect(await store.read(account)).toEqual(record);
    }
    close();
  });
});
