import { afterAll, beforeAll, describe, test } from '@jest/globals';
import { createRedisStore } from '@unexpired/store-redis';
import { runStoreSuite } from '@unexpired/testing';
import { connectWith, type Clients } from './clients.ts';
import { describeRedis, startRedis, type RedisServer } from './redis-server.ts';

let server: RedisServer;
let places = 0;

describeRedis('the store suite', () => {
  beforeAll(async () => {
    server = await startRedis();
  });

  afterAll(() => server.close());

  describe.each(['redis', 'ioredis'] as const)('over %s', (name) => {
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
});
