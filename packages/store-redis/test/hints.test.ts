import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import type { RedisSubscriber } from '@unexpired/store-redis';
import { openRedisStore } from '../src/redis-store.ts';
import { describeRedis } from './redis-server.ts';
import { openScene, patient, TIMES, type ClientName, type Scene } from './scene.ts';

const CHANNEL = 'app:hints';
const recordOf = (revision: number) => ({ version: 1, revision, epoch: 'e', generation: 1 }) as const;

let scene: Scene;

async function listeners(): Promise<number> {
  const [, count] = (await scene.command('PUBSUB', 'NUMSUB', CHANNEL)) as [string, number];
  return count;
}

/** Clients that queue nothing while they are not connected. */
const impatient: Readonly<
  Record<ClientName, (url: string) => { subscriber: RedisSubscriber; close: () => void }>
> = {
  redis(url) {
    const client = createClient({ url, disableOfflineQueue: true, socket: { reconnectStrategy: 20 } });
    client.on('error', () => undefined);
    client.connect().catch(() => undefined);
    return { subscriber: client, close: () => client.destroy() };
  },
  ioredis(url) {
    const client = new Redis(url, { enableOfflineQueue: false, retryStrategy: () => 20 });
    client.on('error', () => undefined);
    return { subscriber: client, close: () => client.disconnect() };
  },
};

/** Resolves at each hint, one after another. */
function countHints(
  store: Scene['store'],
  account = 'default',
): {
  readonly next: () => Promise<void>;
  stop: () => void;
  count: number;
} {
  let told = Promise.withResolvers<void>();
  const hints = {
    count: 0,
    next: () => told.promise,
    stop: store.subscribe(account, () => {
      hints.count += 1;
      told.resolve();
      told = Promise.withResolvers();
    })!,
  };
  return hints;
}

describeRedis('hints', () => {
  describe.each<ClientName>(['redis', 'ioredis'])('over %s', (name) => {
    beforeEach(async () => {
      scene = await openScene({ name });
    });

    afterEach(() => scene.close());

    test('tell of the writes of others, and of none of its own', async () => {
      const hints = countHints(scene.store);
      // It listens now: what came before may have been missed.
      await hints.next();

      await scene.store.write('default', recordOf(1), undefined);
      const hinted = hints.next();
      await scene.other.write('default', recordOf(2), 1);
      await hinted;

      expect(hints.count).toBe(2);
      hints.stop();
    });

    test('of all accounts come over one subscription, each to those who follow it', async () => {
      const [one, two] = [countHints(scene.store), countHints(scene.store)];
      const three = countHints(scene.store, 'another');
      await Promise.all([one.next(), two.next(), three.next()]);
      expect(await scene.command('PUBSUB', 'CHANNELS')).toEqual([CHANNEL]);
      expect(await listeners()).toBe(1);

      one.stop();
      one.stop();
      const hinted = two.next();
      await scene.other.write('default', recordOf(1), undefined);
      await hinted;

      expect([one.count, two.count, three.count]).toEqual([1, 2, 1]);
      two.stop();
      three.stop();
    });

    test('reach each of several stores over one client, whichever of them leaves', async () => {
      const { subscriber } = scene;
      const open = (): Scene['store'] =>
        openRedisStore({ client: scene.client, subscriber, prefix: 'app:' }, TIMES);
      const [one, two] = [open(), open()];
      const [staying, leaving] = [countHints(one), countHints(two)];
      await Promise.all([leaving.next(), staying.next()]);
      leaving.stop();

      const hinted = staying.next();
      await two.write('default', recordOf(1), undefined);
      await hinted;

      expect([leaving.count, staying.count]).toEqual([1, 2]);
      staying.stop();
    });

    test('come once Redis is there, where it was away at first', async () => {
      scene.proxy.cut();
      const { subscriber, close } = impatient[name](scene.proxy.url);
      const hints = countHints(openRedisStore({ client: scene.client, subscriber, prefix: 'app:' }, TIMES));
      const listening = hints.next();

      scene.proxy.mend();

      await listening;
      const hinted = hints.next();
      await scene.other.write('default', recordOf(1), undefined);
      await hinted;
      hints.stop();
      close();
    });

    test('come again after the connection broke', async () => {
      const hints = countHints(scene.store);
      await hints.next();
      scene.proxy.cut();
      scene.proxy.mend();
      while ((await listeners()) === 0);

      const hinted = hints.next();
      await scene.other.write('default', recordOf(1), undefined);

      await hinted;
      hints.stop();
    });

    test('of a free lease are listened to once somebody waits for it', async () => {
      let entering: Promise<number> | undefined;
      await scene.other.runExclusive(
        'default',
        async () => {
          entering = scene.store.runExclusive('default', listeners, patient);
          while ((await listeners()) === 0);
        },
        patient,
      );
      expect(await entering).toBe(1);
    });
  });
});
