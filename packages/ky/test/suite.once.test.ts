import { test } from '@jest/globals';
import { runAdapterSuite } from '@unexpired/testing';
import { BODIES, CYCLES } from './suite-bodies.ts';
import { createSuiteClient } from './suite-client.ts';

runAdapterSuite({
  test,
  createClient: createSuiteClient({ retry: 0 }),
  bodies: BODIES,
  cycles: CYCLES,
});
