import { test } from '@jest/globals';
import { runAdapterSuite } from '@unexpired/testing';
import type { RetryOptions } from 'ky';
import { BODIES, CYCLES } from './suite-bodies.ts';
import { createSuiteClient } from './suite-client.ts';

// On, so that ky keeps a copy of each body, and vetoed, since the suite counts what arrives.
const retry: RetryOptions = { limit: 2, methods: ['get', 'post', 'put'], shouldRetry: () => false };

runAdapterSuite({
  test,
  createClient: createSuiteClient({ retry }),
  bodies: BODIES,
  cycles: CYCLES,
});
