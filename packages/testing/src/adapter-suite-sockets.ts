import assert from 'node:assert/strict';
import {
  countBy,
  revokeAll,
  scenarioWith,
  statusesOf,
  times,
  type Scenario,
  type ScenarioOptions,
} from './adapter-suite-world.ts';

const POOL = 10;
const BODIES = { '50 B': 50, '200 kB': 200_000 };

function refusing(bytes: number): ScenarioOptions {
  return { pool: { connections: POOL }, api: { refusal: { body: 'x'.repeat(bytes) } } };
}

function cycles([size, bytes]: readonly [string, number]): Scenario {
  return scenarioWith(
    refusing(bytes),
    `401s with ${size} give their connections back, one after the other`,
    async (world) => {
      const { api, get, authorization, suite } = world;
      const { cycles: count = 500 } = suite;
      for (let cycle = 0; cycle < count; cycle += 1) {
        revokeAll(world);
        const { status, error } = await get();
        assert.equal(status, 200, String(error));
      }

      assert.equal(authorization.exchanges.length, count);
      assert.deepEqual(countBy(statusesOf(api.requests)), { 200: count, 401: count });
      // On a busy machine the second answer may be there before all of the first was read, which costs a connection.
      const most = Math.max(POOL, count / 100);
      assert.ok(api.connections <= most, `${api.connections} connections for ${count} cycles`);
    },
  );
}

function crowd([size, bytes]: readonly [string, number]): Scenario {
  return scenarioWith(
    refusing(bytes),
    `401s with ${size} lock no pool of ${POOL} connections that 50 requests share`,
    async (world) => {
      const { get, authorization } = world;
      for (let round = 0; round < 3; round += 1) {
        revokeAll(world);
        assert.deepEqual(countBy(statusesOf(await times(50, get))), { 200: 50 });
      }
      assert.equal(authorization.exchanges.length, 3);
    },
  );
}

/** What a 401 leaves behind on its connection. */
export const sockets: readonly Scenario[] = [
  ...Object.entries(BODIES).map(cycles),
  ...Object.entries(BODIES).map(crowd),
];
