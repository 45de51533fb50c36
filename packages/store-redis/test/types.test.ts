import { expect, test } from '@jest/globals';
import { createRedisStore, type RedisClient, type RedisSubscriber } from '@unexpired/store-redis';
import { Cluster, Redis } from 'ioredis';
import { createClient, createClientPool, createCluster, createSentinel } from 'redis';

/** Never run: it is enough that it compiles. */
function takes(): void {
  const sentinel = createSentinel({ name: 'master', sentinelRootNodes: [] });
  const cluster = createCluster({ rootNodes: [] });
  const clients: RedisClient[] = [
    createClient(),
    createClient({ RESP: 3 }),
    createClientPool(),
    cluster,
    sentinel,
    new Redis(),
    new Cluster([]),
  ];
  const subscribers: RedisSubscriber[] = [createClient(), cluster, sentinel, new Redis(), new Cluster([])];
  for (const client of clients) {
    for (const subscriber of subscribers) createRedisStore({ client, prefix: 'app:', subscriber });
  }
  createRedisStore({ client: createClient(), prefix: 'app:', subscriber: undefined });
  // @ts-expect-error -- a URL is no client
  createRedisStore({ client: 'redis://localhost', prefix: 'app:' });
  // @ts-expect-error -- those who share it must agree on the prefix
  createRedisStore({ client: createClient() });
}

test('every kind of client of both packages is taken', () => {
  expect(takes).toBeInstanceOf(Function);
});
