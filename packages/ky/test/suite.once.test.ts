import { test } from '@jest/globals';
import { runAdapterSuite } from '@unexpired/testing';
import { BODIES, CYCLES, SKIPS } from './suite-bodies.ts';
import { createSuiteClient } from './suite-client.ts';

runAdapterSuite({
  test,
  createClient: createSuiteClient({ retry: 0 }),
  bodies: BODIES,
  skips: SKIPS,
  cycles: CYCLES,
});
