import assert from 'node:assert/strict';
import type { BodyKind, SuiteAnswer } from './adapter-suite-driver.ts';
import { assertSameBody, fresh, ONE_SHOT, OPAQUE, VALUES, VARIANTS } from './adapter-suite-samples.ts';
import {
  assertExplained,
  post,
  revokeAll,
  scenarioWith,
  statusesOf,
  type Scenario,
  type World,
} from './adapter-suite-world.ts';
import type { ReceivedRequest } from './received-request.ts';

/** What the client makes of such a body where the adapter has no part in it. */
async function plainRequest({ elsewhere, send }: World, body: unknown): Promise<ReceivedRequest> {
  const { status, error } = await send({ url: `${elsewhere.origin}/upload`, method: 'POST', body });
  assert.equal(status, 200, String(error));
  return elsewhere.requests.at(-1)!;
}

/** One attempt, whole, and the 401 it got. */
function assertNotReplayed(world: World, answer: SuiteAnswer, plain: ReceivedRequest): void {
  assertExplained(world, answer, { reason: 'body-spent' });
  assert.match(answer.text, /invalid_token/);
  assert.equal(world.api.requests.length, 1);
  assertSameBody(world.api.requests[0], plain);
}

async function assertReplayed(world: World, make: () => unknown): Promise<void> {
  const plain = await plainRequest(world, make());
  revokeAll(world);

  const answer = await post(world, make());

  assert.equal(answer.status, 200, String(answer.error));
  assert.deepEqual(statusesOf(world.api.requests), [401, 200]);
  for (const request of world.api.requests) assertSameBody(request, plain);
}

function replayOf(kind: BodyKind): Scenario {
  return scenarioWith({ needs: [kind] }, `a body is replayed identically: ${kind}`, (world) =>
    assertReplayed(world, () => fresh(world, kind)),
  );
}

function replayOfVariant(name: string, [kind, make]: readonly [BodyKind, () => unknown]): Scenario {
  return scenarioWith({ needs: [kind] }, `a body is replayed identically: ${name}`, (world) =>
    assertReplayed(world, make),
  );
}

const replayOfNothing = scenarioWith(
  {},
  'a request without a body is replayed without one',
  async (world) => {
    const { api, send } = world;
    revokeAll(world);

    assert.equal((await send({ url: api.origin, method: 'POST' })).status, 200);
    const [refused, replay] = api.requests.map(({ length, headers }) => [length, headers['content-length']]);
    assert.equal(refused?.[0], 0);
    assert.deepEqual(replay, refused);
  },
);

function refusalOfLong(kind: BodyKind): Scenario {
  const options = { needs: [kind], source: { limits: { replayBytes: 100 } } };
  return scenarioWith(options, `a body over the limit is not replayed: ${kind}`, async (world) => {
    const plain = await plainRequest(world, fresh(world, kind));
    revokeAll(world);

    assertNotReplayed(world, await post(world, fresh(world, kind)), plain);

    assert.equal((await post(world, fresh(world, kind))).status, 200);
    assert.equal(world.authorization.exchanges.length, 1);
  });
}

function refusalOfOpaque(kind: BodyKind): Scenario {
  return scenarioWith(
    { needs: [kind] },
    `a body that cannot be sent twice is not: ${kind}`,
    async (world) => {
      const plain = await plainRequest(world, fresh(world, kind));
      revokeAll(world);

      assertNotReplayed(world, await post(world, fresh(world, kind)), plain);
    },
  );
}

function refreshAfterSpent(kind: BodyKind): Scenario {
  const options = { needs: [kind], source: { limits: { replayBytes: 0 } } };
  return scenarioWith(
    options,
    `a spent body costs one 401, and the next request none: ${kind}`,
    async (world) => {
      revokeAll(world);

      const refused = await post(world, fresh(world, kind));
      const next = await post(world, fresh(world, kind));

      assert.deepEqual(statusesOf([refused, next]), [401, 200]);
      assert.equal(world.authorization.exchanges.length, 1);
    },
  );
}

function factoryReplay(kind: BodyKind): Scenario {
  const options = { needs: [kind], source: { limits: { replayBytes: 0 } } };
  return scenarioWith(options, `a factory makes the body of the replay, once: ${kind}`, async (world) => {
    const plain = await plainRequest(world, fresh(world, kind));
    let made = 0;
    const factory = (): unknown => {
      made += 1;
      return fresh(world, kind);
    };
    await post(world, fresh(world, kind), factory);
    assert.equal(made, 0);
    revokeAll(world);

    const answer = await post(world, fresh(world, kind), factory);

    assert.equal(answer.status, 200, String(answer.error));
    assert.equal(made, 1);
    assertSameBody(world.api.requests.at(-1), plain);
  });
}

/** Every kind of body, by what the client takes. */
export const bodies: readonly Scenario[] = [
  replayOfNothing,
  ...[...VALUES, ...ONE_SHOT].map(replayOf),
  ...Object.entries(VARIANTS).map(([name, variant]) => replayOfVariant(name, variant)),
  ...ONE_SHOT.flatMap((kind) => [refusalOfLong(kind), refreshAfterSpent(kind)]),
  ...OPAQUE.map(refusalOfOpaque),
  ...[...ONE_SHOT, ...OPAQUE, 'form data' as const].map(factoryReplay),
];
