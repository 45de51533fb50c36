import { afterAll, beforeAll, describe, test } from '@jest/globals';
import { runProcessSuite } from '@unexpired/testing';
import { describeRedis, startRedis, type RedisServer } from './redis-server.ts';

/** A kill at each point of a refresh is tried here, too. */
const LONG = 'it takes minutes, and runs with the other client';

let server: RedisServer;
let places = 0;

const soaks = process.env['SOAK'] === '1';

// reason: it takes long, and what differs is how commands are sent, which the store's other tests see with both clients
(soaks ? describeRedis : describe.skip)('processes over one Redis, with ioredis (in a soak)', () => {
  beforeAll(async () => {
    server = await startRedis();
  });

  afterAll(() => server.close());

  // Shorter than with the other client: what differs is how commands are sent.
  runProcessSuite({
    test,
    lock: 'lease',
    processes: 4,
    generations: 4,
    skips: {
      // reason: what is told after each
      'a kill at a random moment signs nobody out, but between the yes of a strict server and the durable write':
        LONG,
      'a kill at a random moment signs nobody out where the server tolerates a repeat': LONG,
    },
    createPlace() {
      places += 1;
      // A shorter lease is lost to a busy machine, and a strict grant with it.
      const options = { url: server.url, prefix: `race:${places}:`, leaseMs: 5000 };
      const module = new URL('race-store.ts', import.meta.url);
      return { store: { module, export: 'createIoRedisRaceStore', options } };
    },
  });
});
