import { describe, expect, test } from '@jest/globals';
import { createRedisStore, type RedisStoreOptions } from '@unexpired/store-redis';

describe('options', () => {
  const call = (): Promise<unknown> => Promise.resolve();
  const client = { eval: call, evalSha: call };
  const prefix = 'a string that is not empty, without braces';
  const needed = 'a client of `redis` or `ioredis`, version 5 or later';

  test.each<[string, unknown]>([
    ['`options` must be an object, got undefined', undefined],
    [`\`client\` must be ${needed}, got undefined`, { prefix: 'p:' }],
    [`\`client\` must be ${needed}, got an object`, { client: {}, prefix: 'p:' }],
    // A client of `redis` 3 or older.
    [`\`client\` must be ${needed}, got an object`, { client: { eval: call }, prefix: 'p:' }],
    [`\`client\` must be ${needed}, got a string`, { client: 'redis://user:secret@host', prefix: 'p:' }],
    [`\`prefix\` must be ${prefix}, got undefined`, { client }],
    [`\`prefix\` must be ${prefix}, got an empty string`, { client, prefix: '' }],
    [`\`prefix\` must be ${prefix}, got a string`, { client, prefix: '{p}' }],
    [`\`subscriber\` must be ${needed}, got an object`, { client, prefix: 'p:', subscriber: {} }],
    [
      '`leaseMs` is not an option; there are: client, prefix, subscriber',
      { client, prefix: 'p:', leaseMs: 1 },
    ],
  ])('that are wrong are refused: %s', (message, options) => {
    expect(() => createRedisStore(options as RedisStoreOptions)).toThrow(new TypeError(message));
  });
});
