import { afterEach, expect, test } from '@jest/globals';
import type { IoRedisClient } from '@unexpired/store-redis';
import { openRedisStore } from '../src/redis-store.ts';
import { describeRedis } from './redis-server.ts';
import { openScene, patient, TIMES, type Scene } from './scene.ts';

const RECORD = { version: 1, revision: 1, epoch: 'ä', generation: 1 } as const;

let scene: Scene;

/** A store whose client shows each part of an answer in its own way. */
function storeOf(show: (part: unknown) => unknown): Scene['store'] {
  const real = scene.client as IoRedisClient;
  const client: IoRedisClient = {
    async eval(...call) {
      const answer = await real.eval(...call);
      return Array.isArray(answer) ? answer.map(show) : show(answer);
    },
    evalsha: () => Promise.reject(new Error('unused')),
  };
  return openRedisStore({ client, prefix: 'app:' }, TIMES);
}

const asBuffer = (part: unknown): unknown => (typeof part === 'string' ? Buffer.from(part) : part);

describeRedis('a client that answers otherwise', () => {
  afterEach(() => scene.close());

  test('with buffers, serves as one that answers with texts', async () => {
    scene = await openScene();
    const store = storeOf(asBuffer);

    expect(await store.read('default')).toBeUndefined();
    expect(await store.write('default', RECORD, 'replace')).toBe(true);
    expect(await store.read('default')).toEqual(RECORD);
    const isLost = await store.runExclusive(
      'default',
      async ({ check, signal }) => {
        await check?.();
        return signal.aborted;
      },
      patient,
    );
    expect(isLost).toBe(false);
  });

  test.each<[string, (part: unknown) => unknown]>([
    ['an object', () => ({})],
    ['nothing for the text', (part) => (part === '1' ? part : null)],
    ['nothing for the revision', (part) => (part === '1' ? null : part)],
    ['an empty revision', (part) => (part === '1' ? '' : part)],
  ])('with %s, is an error and not an empty store', async (_, show) => {
    scene = await openScene();
    await scene.other.write('default', RECORD, undefined);

    await expect(storeOf(show).read('default')).rejects.toMatchObject({ code: 'ERR_STORE_FAILED' });
  });
});
