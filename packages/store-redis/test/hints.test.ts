import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { describeRedis } from './redis-server.ts';
import { openScene, patient, type ClientName, type Scene } from './scene.ts';

const CHANGED = 'app:{default}:changed';
const RELEASED = 'app:{default}:released';
const recordOf = (revision: number) => ({ version: 1, revision, epoch: 'e', generation: 1 }) as const;

let scene: Scene;

async function listeners(channel: string): Promise<number> {
  const [, count] = (await scene.command('PUBSUB', 'NUMSUB', channel)) as [string, number];
  return count;
}

/** Resolves at each hint, one after another. */
function countHints(store: Scene['store']): {
  readonly next: () => Promise<void>;
  stop: () => void;
  count: number;
} {
  let told = Promise.withResolvers<void>();
  const hints = {
    count: 0,
    next: () => told.promise,
    stop: store.subscribe('default', () => {
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

    test('of one account are one subscription, which ends with the last that follows', async () => {
      const [one, two] = [countHints(scene.store), countHints(scene.store)];
      await Promise.all([one.next(), two.next()]);
      expect(await listeners(CHANGED)).toBe(1);

      one.stop();
      one.stop();
      const hinted = two.next();
      await scene.other.write('default', recordOf(1), undefined);
      await hinted;
      two.stop();

      while ((await listeners(CHANGED)) > 0);
      expect(one.count).toBe(1);
    });

    test('come again after the connection broke', async () => {
      const hints = countHints(scene.store);
      await hints.next();
      scene.proxy.cut();
      scene.proxy.mend();
      while ((await listeners(CHANGED)) === 0);

      const hinted = hints.next();
      await scene.other.write('default', recordOf(1), undefined);

      await hinted;
      hints.stop();
    });

    test('of a free lease are listened to while somebody waits for it', async () => {
      let entering: Promise<number> | undefined;
      await scene.other.runExclusive(
        'default',
        async () => {
          entering = scene.store.runExclusive('default', () => listeners(RELEASED), patient);
          while ((await listeners(RELEASED)) === 0);
        },
        patient,
      );
      await entering;
      while ((await listeners(RELEASED)) > 0);
    });
  });
});
