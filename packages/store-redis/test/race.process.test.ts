import { afterAll, beforeAll, test } from '@jest/globals';
import { runProcessSuite } from '@unexpired/testing';
import { describeRedis, startRedis, type RedisServer } from './redis-server.ts';

let server: RedisServer;
let places = 0;

describeRedis('processes over one Redis', () => {
  beforeAll(async () => {
    server = await startRedis();
  });

  afterAll(() => server.close());

  runProcessSuite({
    test,
    lock: 'lease',
    processes: 10,
    createPlace() {
      places += 1;
      // After a kill it has to run out; a shorter one is lost to a busy machine, and a strict grant with it.
      const options = { url: server.url, prefix: `race:${places}:`, leaseMs: 5000 };
      return { store: { module: new URL('race-store.ts', import.meta.url), options } };
    },
  });
});
