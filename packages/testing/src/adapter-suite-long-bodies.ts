import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { BodyKind } from './adapter-suite-driver.ts';
import { ONE_SHOT } from './adapter-suite-samples.ts';
import { CHUNK, chunkAt, createUpload, sendUpload, type Upload } from './adapter-suite-upload.ts';
import { revokeAll, scenarioWith, statusesOf, type Scenario, type World } from './adapter-suite-world.ts';
import type { ReceivedRequest } from './received-request.ts';

const MIB = 1024 * 1024;

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
      const { ended } = await replayed;
      await ended;
      api.release();

      const answer = await sending;
      assert.equal(answer.status, 200, String(answer.error));
      assert.deepEqual(statusesOf(api.requests), [401, 200]);
      await assertWhole(api.requests[1], 16 * MIB);
    },
  );
}

function collectGarbage(): void {
  setFlagsFromString('--expose_gc');
  (runInNewContext('gc') as () => void)();
}

interface Sizes {
  readonly bytes: number;
  readonly expected: number;
}

/** What buffers hold, once the garbage is gone, which takes a few turns. */
async function heldBytes(enough: number): Promise<number> {
  let held = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < 10 && held > enough; turn += 1) {
    await new Promise(setImmediate);
    collectGarbage();
    held = process.memoryUsage().arrayBuffers;
  }
  return held;
}

/** Far more than is recorded and under way, far less than was sent when it is asked. */
const TOLERATED = 24 * MIB;

/** Sends so many bytes; how many are held after the first 64 MiB, beyond what was held before and is expected. */
async function holdings(world: World, origin: string, { bytes, expected }: Sizes): Promise<number> {
  const before = await heldBytes(0);
  let held = 0;
  const upload = createUpload(streamKind(world), async (index) => {
    if (index * CHUNK === 64 * MIB) held = await heldBytes(before + expected + TOLERATED);
    return index * CHUNK < bytes ? chunkAt(index) : undefined;
  });
  const { status, error } = await sendUpload({ ...world, api: { ...world.api, origin } }, upload.body);
  assert.equal(status, 200, String(error));
  return held - before;
}

/** Clients keep bodies too, so that it is compared with what is held where the adapter has no part in it. */
const longRecording = scenarioWith(
  { ...hashed, needs: ONE_SHOT },
  'a stream of 256 MiB arrives whole, and little of it is kept that the client does not keep itself',
  async (world) => {
    const { api, elsewhere } = world;
    const bare = await holdings(world, elsewhere.origin, { bytes: 65 * MIB, expected: 0 });

    const held = await holdings(world, api.origin, { bytes: 256 * MIB, expected: bare });

    await assertWhole(api.requests[0], 256 * MIB);
    assert.ok(held <= bare + TOLERATED, `${held} bytes are held, and ${bare} without the adapter`);
  },
);

/** Bodies that are longer than what is recorded of them. */
export const longBodies: readonly Scenario[] = [
  earlyRefusalOfBytes,
  earlyRefusalAtFullSpeed,
  ...ONE_SHOT.map(earlyRefusal),
  longRecording,
];
