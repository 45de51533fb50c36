import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { BodyKind, BodySupport } from './adapter-suite-driver.ts';
import type { World } from './adapter-suite-world.ts';
import { multipartParts } from './multipart.ts';
import type { ReceivedRequest } from './received-request.ts';

const FIRST_HALF: Uint8Array = new Uint8Array(300).map((_, index) => index);
const SECOND_HALF: Uint8Array = FIRST_HALF.toReversed();
const BYTES: Uint8Array<ArrayBuffer> = Uint8Array.of(...FIRST_HALF, ...SECOND_HALF);

async function* generate(): AsyncGenerator<Uint8Array> {
  yield FIRST_HALF;
  yield SECOND_HALF;
}

function webStreamOf(chunks: AsyncIterator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const result = (await chunks.next()) as IteratorResult<Uint8Array, undefined>;
      if (result.done) controller.close();
      else controller.enqueue(result.value);
    },
  });
}

function form(): FormData {
  const fields = new FormData();
  fields.append('title', 'Grüße');
  fields.append('file', new Blob([BYTES], { type: 'image/png' }), 'a.png');
  return fields;
}

/** A fresh body of each kind, always with the same content. */
const samples: Readonly<Record<Exclude<BodyKind, 'form-data package'>, () => unknown>> = {
  string: () => 'a text, ünïcode',
  'plain object': () => ({ nested: { list: [1, 'two', null] } }),
  bytes: () => BYTES.slice(),
  'array buffer': () => BYTES.slice().buffer,
  blob: () => new Blob([BYTES], { type: 'image/png' }),
  'url search params': () => new URLSearchParams({ a: '1 & 2', b: 'ü' }),
  'form data': form,
  'node stream': () => Readable.from(generate()),
  'web stream': () => webStreamOf(generate()),
  'async generator': generate,
  'restartable iterable': () => ({ [Symbol.asyncIterator]: generate }),
};

/** Read once, then used up; they can be recorded. */
export const ONE_SHOT: readonly BodyKind[] = ['node stream', 'web stream', 'async generator'];
/** Used up, and not to be recorded. */
export const OPAQUE: readonly BodyKind[] = ['form-data package'];
/** As good for a second time. */
export const VALUES: readonly BodyKind[] = (Object.keys(samples) as BodyKind[]).filter(
  (kind) => !ONE_SHOT.includes(kind),
);

/** Makes a body; a string says why there is none. */
function sampleOf(kind: BodyKind, support: BodySupport): string | (() => unknown) {
  if (support !== true) return support;
  if (kind !== 'form-data package') return samples[kind];
  throw new TypeError(
    "`bodies['form-data package']` must be a function that makes one, or a string, got true",
  );
}

export function fresh({ suite }: World, kind: BodyKind): unknown {
  const make = sampleOf(kind, suite.bodies[kind]);
  return typeof make === 'function' ? make() : assert.fail(make);
}

/** Other forms of the kinds, each taken where its kind is. */
export const VARIANTS: Readonly<Record<string, readonly [kind: BodyKind, make: () => unknown]>> = {
  'buffer of Node': ['bytes', () => Buffer.from(BYTES)],
  'part of a buffer': ['bytes', () => BYTES.slice().subarray(10, 20)],
  'text in JSON': ['string', () => JSON.stringify({ list: [1, 'two', null] })],
  file: ['blob', () => new File([BYTES], 'a.png', { type: 'image/png' })],
  'stream of a file': ['node stream', () => createReadStream(fileURLToPath(import.meta.url))],
};

function framingOf({ headers }: ReceivedRequest): object {
  const { 'content-type': type, 'content-length': length, 'transfer-encoding': coding } = headers;
  return { type, length, coding };
}

/** Both arrived whole and say the same; forms may differ in their boundary. */
export function assertSameBody(actual: ReceivedRequest | undefined, expected: ReceivedRequest): void {
  assert.ok(actual?.complete && expected.complete && expected.length > 0);
  if (expected.headers['content-type']?.startsWith('multipart/') === true) {
    assert.deepEqual(multipartParts(actual), multipartParts(expected));
    return;
  }
  assert.equal(actual.body.toString('latin1'), expected.body.toString('latin1'));
  assert.deepEqual(framingOf(actual), framingOf(expected));
}
