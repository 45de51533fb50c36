import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import type { BodyKind, SuiteAnswer } from './adapter-suite-driver.ts';
import { ONE_SHOT } from './adapter-suite-samples.ts';
import { createUpload, type Upload } from './adapter-suite-upload.ts';
import {
  aWhile,
  revokeAll,
  scenarioWith,
  statusesOf,
  type Scenario,
  type World,
} from './adapter-suite-world.ts';
import type { ReceivedRequest } from './received-request.ts';

const MIB = 1024 * 1024;
const CHUNK = 64 * 1024;

/** No two chunks of an upload are alike. */
function chunkAt(index: number): Uint8Array {
  const chunk = new Uint8Array(CHUNK).fill(index);
  new DataView(chunk.buffer).setUint32(0, index);
  return chunk;
}

function sha256Of(bytes: number): string {
  const hash = createHash('sha256');
  for (let index = 0; index * CHUNK < bytes; index += 1) hash.update(chunkAt(index));
  return hash.digest('hex');
}

/** The first kind of a body that is read once which the client takes. */
function streamKind({ suite }: World): BodyKind {
  return ONE_SHOT.find((kind) => suite.bodies[kind] === true) ?? assert.fail('the client takes no streams');
}

/** An upload of so many bytes that waits, with most of them still to come, for `until`. */
function longUpload(kind: BodyKind, bytes: number, until?: Promise<unknown>): Upload {
  return createUpload(kind, async (index) => {
    if (index * CHUNK === bytes) return undefined;
    if (index === 8) await until;
    return chunkAt(index);
  });
}

function sendUpload({ api, send }: World, body: unknown, signal?: AbortSignal): Promise<SuiteAnswer> {
  return send({ url: `${api.origin}/upload`, method: 'POST', body, isLong: true, signal });
}

async function assertWhole(request: ReceivedRequest | undefined, bytes: number): Promise<void> {
  await request?.ended;
  assert.equal(request?.length, bytes);
  assert.equal(request.sha256, sha256Of(bytes));
  assert.ok(request.complete);
}

const hashed = { api: { keepBodies: false } };

const earlyRefusalOfBytes = scenarioWith(
  { ...hashed, needs: ['bytes'] },
  'an early 401 while 64 MiB of bytes are under way is answered with all of them again',
  async (world) => {
    revokeAll(world);
    world.api.next({ early: true });
    const bytes = new Uint8Array(64 * MIB);
    for (let index = 0; index * CHUNK < bytes.length; index += 1) bytes.set(chunkAt(index), index * CHUNK);

    const answer = await sendUpload(world, bytes);

    assert.equal(answer.status, 200, String(answer.error));
    assert.deepEqual(statusesOf(world.api.requests), [401, 200]);
    await assertWhole(world.api.requests[1], bytes.length);
  },
);

/** At full speed: how much was read when the 401 came is not known, so that all of it is kept. */
const earlyRefusalAtFullSpeed = scenarioWith(
  { ...hashed, needs: ONE_SHOT, source: { limits: { replayBytes: 64 * MIB } } },
  'an early 401 while a stream of 64 MiB is under way is answered with all of it again',
  async (world) => {
    revokeAll(world);
    world.api.next({ early: true });

    const answer = await sendUpload(world, longUpload(streamKind(world), 64 * MIB).body);

    assert.equal(answer.status, 200, String(answer.error));
    assert.deepEqual(statusesOf(world.api.requests), [401, 200]);
    await assertWhole(world.api.requests[1], 64 * MIB);
  },
);

/** The rest of the source is given only when the replay has arrived. */
function earlyRefusal(kind: BodyKind): Scenario {
  return scenarioWith(
    { ...hashed, needs: [kind] },
    `an early 401 costs the replay no more of its record than was sent: ${kind}`,
    async (world) => {
      const { api } = world;
      revokeAll(world);
      api.next({ early: true }, { early: true, hold: 'answer' });
      const replayed = api.requestArrived(2);
      const sending = sendUpload(world, longUpload(kind, 16 * MIB, replayed).body);
      await (
        await replayed
      ).ended;
      api.release();

      const answer = await sending;
      assert.equal(answer.status, 200, String(answer.error));
      assert.deepEqual(statusesOf(api.requests), [401, 200]);
      await assertWhole(api.requests[1], 16 * MIB);
    },
  );
}

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

/** Bodies under way when something happens. */
export const uploads: readonly Scenario[] = [
  earlyRefusalOfBytes,
  earlyRefusalAtFullSpeed,
  ...ONE_SHOT.flatMap((kind) => [
    earlyRefusal(kind),
    failureBefore(kind),
    failureMeanwhile(kind),
    failureOfReplay(kind),
    ...POINTS.map((point) => abort(kind, point)),
  ]),
];
