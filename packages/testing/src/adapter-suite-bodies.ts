import assert from 'node:assert/strict';
import type { BodyKind, SuiteAnswer } from './adapter-suite-driver.ts';
import { assertSameBody, ONE_SHOT, OPAQUE, sampleOf, VALUES, webStreamOf } from './adapter-suite-samples.ts';
import {
  assertExplained,
  revokeAll,
  scenario,
  scenarioWith,
  statusesOf,
  type Scenario,
  type World,
} from './adapter-suite-world.ts';
import type { ReceivedRequest } from './received-request.ts';

function fresh({ suite }: World, kind: BodyKind): unknown {
  const make = sampleOf(kind, suite.bodies[kind]);
  return typeof make === 'function' ? make() : assert.fail(make);
}

function post({ api, send }: World, body: unknown, factory?: () => unknown): Promise<SuiteAnswer> {
  return send({ url: `${api.origin}/upload`, method: 'POST', body, unexpired: { body: factory } });
}

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

function replayOf(kind: BodyKind): Scenario {
  return scenario(`a body is replayed identically: ${kind}`, async (world) => {
    const plain = await plainRequest(world, fresh(world, kind));
    revokeAll(world);

    const answer = await post(world, fresh(world, kind));

    assert.equal(answer.status, 200, String(answer.error));
    assert.deepEqual(statusesOf(world.api.requests), [401, 200]);
    for (const request of world.api.requests) assertSameBody(request, plain);
  });
}

function refusalOfLong(kind: BodyKind): Scenario {
  const options = { source: { limits: { replayBytes: 100 } } };
  return scenarioWith(options, `a body over the limit is not replayed: ${kind}`, async (world) => {
    const plain = await plainRequest(world, fresh(world, kind));
    revokeAll(world);

    assertNotReplayed(world, await post(world, fresh(world, kind)), plain);
  });
}

function refusalOfOpaque(kind: BodyKind): Scenario {
  return scenario(`a body that cannot be sent twice is not: ${kind}`, async (world) => {
    const plain = await plainRequest(world, fresh(world, kind));
    revokeAll(world);

    assertNotReplayed(world, await post(world, fresh(world, kind)), plain);
  });
}

function refreshAfterSpent(kind: BodyKind): Scenario {
  const options = { source: { limits: { replayBytes: 0 } } };
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
  const options = { source: { limits: { replayBytes: 0 } } };
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

/** The server refuses at once; the rest of the body is given only when the replay has arrived there. */
function earlyRefusal(kind: 'web stream' | 'async generator'): Scenario {
  return scenario(`an early 401 is answered while the upload goes on: ${kind}`, async (world) => {
    const { api } = world;
    const replayed = api.requestArrived(2);
    async function* slowly(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('the beginning, ');
      await replayed;
      yield Buffer.from('and the end');
    }
    revokeAll(world);
    api.always({ early: true });

    const answer = await post(world, kind === 'web stream' ? webStreamOf(slowly()) : slowly());

    assert.equal(answer.status, 200, String(answer.error));
    const replay = api.requests[1]!;
    await replay.ended;
    assert.equal(replay.body.toString(), 'the beginning, and the end');
    assert.ok(replay.complete);
  });
}

const factoryOfAnotherLength = scenario('a factory may make a longer or a shorter body', async (world) => {
  const { api } = world;
  for (const body of ['a much longer text than before', 'x']) {
    revokeAll(world);
    const answer = await post(world, 'as it was', () => body);
    assert.equal(answer.status, 200, String(answer.error));
    assert.equal(api.requests.at(-1)?.body.toString(), body);
  }

  assert.equal((await world.get()).status, 200);
  assert.deepEqual(statusesOf(api.requests), [401, 200, 401, 200, 200]);
});

const factoryThatThrows = scenario(
  'a factory that throws rejects the request with its error',
  async (world) => {
    revokeAll(world);

    const { error } = await post(world, 'as it was', () => {
      throw new Error('the file is gone');
    });

    assert.match(String(error), /the file is gone/);
    assert.equal(world.api.requests.length, 1);
  },
);

/** Every kind of body, by what the client takes. */
export const bodies: readonly (Scenario & { readonly kind?: BodyKind })[] = [
  ...[...VALUES, ...ONE_SHOT].map((kind) => ({ ...replayOf(kind), kind })),
  ...ONE_SHOT.flatMap((kind) =>
    [refusalOfLong, refreshAfterSpent].map((scenarioOf) => ({ ...scenarioOf(kind), kind })),
  ),
  ...OPAQUE.map((kind) => ({ ...refusalOfOpaque(kind), kind })),
  ...[...ONE_SHOT, ...OPAQUE, 'form data' as const].map((kind) => ({ ...factoryReplay(kind), kind })),
  ...(['web stream', 'async generator'] as const).map((kind) => ({ ...earlyRefusal(kind), kind })),
  factoryOfAnotherLength,
  factoryThatThrows,
];
