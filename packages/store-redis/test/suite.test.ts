import { afterAll, beforeAll, describe, test } from '@jest/globals';
import { createRedisStore } from '@unexpired/store-redis';
import { runStoreSuite, type SuiteTest } from '@unexpired/testing';
import { connectWith, type Clients } from './clients.ts';
import { describeRedis, startRedis, type RedisServer } from './redis-server.ts';

/** Without a subscriber there are no hints. */
const testWithoutHints: SuiteTest = Object.assign(
  (name: string, run: () => Promise<void>): void => {
    const [register, title] = name.includes('is hinted at')
      ? // reason: nothing tells of the write
        [test.skip, `${name} (no subscriber)`]
      : [test, name];
    register(title, run);
  },
  // reason: asked for by the suite
  { skip: test.skip },
);

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
        test: listens ? test : testWithoutHints,
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
