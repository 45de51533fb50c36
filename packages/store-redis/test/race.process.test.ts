import { afterAll, beforeAll, test } from '@jest/globals';
import { runProcessSuite } from '@unexpired/testing';
import { describeRedis, startRedis, type RedisServer } from './redis-server.ts';

const soaks = process.env['SOAK'] === '1';

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
    generations: soaks ? 100 : 20,
    // After each kill the lease has to run out; a shorter one is lost to a busy machine, and a strict grant with it.
    rounds: soaks ? 80 : 8,
    createPlace() {
      places += 1;
      const options = { url: server.url, prefix: `race:${places}:`, leaseMs: 5000 };
      return { store: { module: new URL('race-store.ts', import.meta.url), options } };
    },
  });
});
