import { Readable } from 'node:stream';
import type { BodyKind, SuiteAnswer } from './adapter-suite-driver.ts';
import type { World } from './adapter-suite-world.ts';

/** A body that can be watched. */
export interface Upload {
  readonly body: unknown;
  /** Resolves when whoever read the body has let go of it, or has read all. */
  readonly released: Promise<void>;
}

/** Gives the chunk of an index; undefined ends the body. */
type ChunkAt = (index: number) => Promise<Uint8Array | undefined>;

function nodeStream(chunkAt: ChunkAt, release: () => void): Readable {
  let index = 0;
  return new Readable({
    read() {
      chunkAt(index++).then(
        (chunk) => this.push(chunk ?? null),
        (error: Error) => this.destroy(error),
      );
    },
    destroy(error, done) {
      release();
      done(error);
    },
  });
}

function webStream(chunkAt: ChunkAt, release: () => void): ReadableStream<Uint8Array> {
  let index = 0;
  return new ReadableStream({
    async pull(controller) {
      const chunk = await chunkAt(index++);
      if (chunk !== undefined) return controller.enqueue(chunk);
      release();
      controller.close();
    },
    cancel: release,
  });
}

async function* generator(chunkAt: ChunkAt, release: () => void): AsyncGenerator<Uint8Array> {
  try {
    for (let index = 0; ; index += 1) {
      const chunk = await chunkAt(index);
      if (chunk === undefined) return;
      yield chunk;
    }
  } finally {
    release();
  }
}

const makers = { 'node stream': nodeStream, 'web stream': webStream, 'async generator': generator };

/** A body of a kind that is read once, from a source that the test writes. */
export function createUpload(kind: BodyKind, chunkAt: ChunkAt): Upload {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { body: makers[kind as keyof typeof makers](chunkAt, resolve), released: promise };
}

export const CHUNK: number = 64 * 1024;

/** No two chunks of an upload are alike. */
export function chunkAt(index: number): Uint8Array {
  const chunk = new Uint8Array(CHUNK).fill(index);
  new DataView(chunk.buffer).setUint32(0, index);
  return chunk;
}

export function sendUpload({ api, send }: World, body: unknown, signal?: AbortSignal): Promise<SuiteAnswer> {
  return send({ url: `${api.origin}/upload`, method: 'POST', body, isLong: true, signal });
}
