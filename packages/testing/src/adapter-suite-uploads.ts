import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import type { BodyKind, SuiteAnswer } from './adapter-suite-driver.ts';
import { ONE_SHOT } from './adapter-suite-samples.ts';
import { chunkAt, createUpload, sendUpload, type Upload } from './adapter-suite-upload.ts';
import {
  aWhile,
  revokeAll,
  scenarioWith,
  statusesOf,
  type Scenario,
  type World,
} from './adapter-suite-world.ts';

/** The source gives a little and fails once the server has seen so many requests. */
function failingUpload({ api }: World, kind: BodyKind, requests: number): Upload {
  return createUpload(kind, async (index) => {
    if (index < 2) return chunkAt(index);
    await api.requestArrived(requests);
    throw new Error('the disk is gone');
  });
}

/** The caller learns of the failure, and no server took what there was for the whole. */
async function assertFailed(world: World, answer: SuiteAnswer): Promise<void> {
  const { api, get } = world;
  assert.equal(answer.status, undefined);
  assert.match(inspect(answer.error, { depth: 5 }), /the disk is gone/);
  const last = api.requests.at(-1);
  await last?.ended;
  assert.equal(last?.complete, false);
  api.release();
  assert.equal((await get()).status, 200);
}

function failureBefore(kind: BodyKind): Scenario {
  return scenarioWith(
    { needs: [kind] },
    `a source that fails in mid-upload fails the request: ${kind}`,
    async (world) => {
      const { api, authorization } = world;
      api.next({ early: true, hold: 'answer' });

      const answer = await sendUpload(world, failingUpload(world, kind, 1).body);

      assert.equal(api.requests.length, 1);
      await assertFailed(world, answer);
      assert.equal(authorization.exchanges.length, 0);
    },
  );
}

function failureMeanwhile(kind: BodyKind): Scenario {
  return scenarioWith(
    { needs: [kind] },
    `a source that fails while its early 401 is answered is not sent again: ${kind}`,
    async (world) => {
      const { api, authorization } = world;
      revokeAll(world);
      api.next({ early: true });
      authorization.next({ hold: 'answer' });
      const failing = createUpload(kind, async (index) => {
        if (index < 2) return chunkAt(index);
        await authorization.requestArrived();
        throw new Error('the disk is gone');
      });
      const sending = sendUpload(world, failing.body);
      await authorization.requestArrived();
      await aWhile(world);
      authorization.release();

      assert.notEqual((await sending).status, 200);
      assert.deepEqual(statusesOf(api.requests), [401]);
      assert.equal((await world.get()).status, 200);
    },
  );
}

function failureOfReplay(kind: BodyKind): Scenario {
  return scenarioWith(
    { needs: [kind] },
    `a source that fails during the replay fails the request: ${kind}`,
    async (world) => {
      const { api } = world;
      revokeAll(world);
      api.next({ early: true }, { early: true, hold: 'answer' });

      const answer = await sendUpload(world, failingUpload(world, kind, 2).body);

      assert.equal(api.requests.length, 2);
      await assertFailed(world, answer);
    },
  );
}

/** Endless. */
function trickle(kind: BodyKind): Upload {
  return createUpload(kind, async (index) => {
    await new Promise(setImmediate);
    return index < 2 ? chunkAt(index) : Uint8Array.of(1);
  });
}

type Point = 'the first attempt' | 'the refresh' | 'the replay';

function holdAt(point: Point, { api, authorization }: World): Promise<unknown> {
  const held = { early: true, hold: 'answer' } as const;
  if (point === 'the refresh') {
    api.next({ early: true });
    authorization.next({ hold: 'answer' });
    return authorization.requestArrived();
  }
  if (point === 'the first attempt') api.next(held);
  else api.next({ early: true }, held);
  return api.requestArrived(point === 'the replay' ? 2 : 1);
}

function abort(kind: BodyKind, point: Point): Scenario {
  return scenarioWith(
    { needs: [kind] },
    `a caller that aborts its upload during ${point} leaves alone, and its source is released: ${kind}`,
    async (world) => {
      const { api, get, authorization } = world;
      if (point !== 'the first attempt') revokeAll(world);
      const reached = holdAt(point, world);
      const upload = trickle(kind);
      const controller = new AbortController();
      const leaving = sendUpload(world, upload.body, controller.signal);
      await reached;
      const staying = point === 'the refresh' ? get() : undefined;

      controller.abort();

      assert.equal((await leaving).status, undefined);
      await upload.released;
      authorization.release();
      for (const request of api.requests) await request.ended;
      assert.equal((await (staying ?? get())).status, 200);
      assert.ok(authorization.exchanges.length <= 1);
    },
  );
}

const POINTS: readonly Point[] = ['the first attempt', 'the refresh', 'the replay'];

/** Bodies that fail, or are left, while they are under way. */
export const uploads: readonly Scenario[] = ONE_SHOT.flatMap((kind) => [
  failureBefore(kind),
  failureMeanwhile(kind),
  failureOfReplay(kind),
  ...POINTS.map((point) => abort(kind, point)),
]);
