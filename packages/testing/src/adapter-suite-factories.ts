import assert from 'node:assert/strict';
import {
  post,
  revokeAll,
  scenarioWith,
  statusesOf,
  type Scenario,
  type World,
} from './adapter-suite-world.ts';

const LONGER = 'a much longer text than before';

/** With one connection for all, what a body left over would be taken for the next request. */
const options = { pool: { connections: 1 } };

async function assertClean({ api, get }: World): Promise<void> {
  assert.equal((await get()).status, 200);
  assert.equal(api.requests.at(-1)?.length, 0);
}

function factoryThatFails(how: string, fail: () => unknown): Scenario {
  return scenarioWith(options, `a factory that ${how} rejects the request with its error`, async (world) => {
    const { api } = world;
    revokeAll(world);

    const { status, error } = await post(world, 'as it was', fail);

    assert.equal(status, undefined);
    assert.match(String(error), /the file is gone/);
    assert.deepEqual(statusesOf(api.requests), [401]);
    await assertClean(world);
    assert.equal(api.requests.length, 2);
  });
}

/** What the caller's `unexpired.body` makes. */
export const factories: readonly Scenario[] = [
  scenarioWith(options, 'a factory may make a longer or a shorter body', async (world) => {
    const { api } = world;
    for (const body of [LONGER, 'x', Buffer.from(LONGER), Buffer.from('x')]) {
      revokeAll(world);
      const answer = await post(world, 'as it was', () => body);
      assert.equal(answer.status, 200, String(answer.error));
      assert.equal(api.requests.at(-1)?.body.toString(), body.toString());
      await assertClean(world);
    }

    const each = [401, 200, 200];
    assert.deepEqual(statusesOf(api.requests), [...each, ...each, ...each, ...each]);
  }),
  factoryThatFails('throws', () => {
    throw new Error('the file is gone');
  }),
  factoryThatFails('rejects', () => Promise.reject(new Error('the file is gone'))),
];
