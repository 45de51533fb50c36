import { afterAll, beforeAll, describe, test } from '@jest/globals';
import { createRedisStore } from '@unexpired/store-redis';
import { runStoreSuite } from '@unexpired/testing';
import { connectWith, type Clients } from './clients.ts';
import { redisMissing, startRedis, type RedisServer } from './redis-server.ts';

let server: RedisServer;

beforeAll(async () => {
  if (redisMissing === undefined) server = await startRedis();
});

afterAll(() => server?.close());

let places = 0;

describe.each(['redis', 'ioredis'] as const)('over %s', (name) => {
  if (redisMissing !== undefined) {
    // reason: a developer's machine may have no Redis; CI fails for such a name
    test.skip(redisMissing, () => undefined);
    return;
  }
  describe.each([true, false])('with a subscriber: %j', (listens) => {
    runStoreSuite({
      test,
      shared: true,
      createPlace() {
        const all: Clients[] = [];
        places += 1;
        const prefix = `suite:${places}:`;
        return {
          async open() {
            const clients = await connectWith[name](server.url);
            all.push(clients);
            const { client, subscriber } = clients;
            return createRedisStore({ client, prefix, subscriber: listens ? subscriber : undefined });
          },
          close: () => all.forEach((clients) => clients.close()),
        };
      },
    });
  });
});
