/**
 * How a request body behaves when it is sent twice:
 * - `none`: there is none
 * - `value`: the client reads it anew each time
 * - `one-shot`: it is used up by being read, and can be recorded meanwhile
 * - `opaque`: it is used up, and cannot be read from outside (the npm package form-data, streams of old)
 */
export type BodyKind = 'none' | 'value' | 'one-shot' | 'opaque';

/** By shape, so that streams of other realms and libraries are recognised too. */
export function classifyBody(body: unknown): BodyKind {
  if (body === undefined || body === null) return 'none';
  if (typeof body !== 'object') return 'value';
  const has = (name: PropertyKey): boolean =>
    typeof (body as Record<PropertyKey, unknown>)[name] === 'function';
  if (has('getReader') || has('next')) return 'one-shot';
  if (has('pipe')) return has(Symbol.asyncIterator) ? 'one-shot' : 'opaque';
  return 'value';
}

type Source = AsyncIterator<unknown> | Iterator<unknown>;

/** Reads any body that is used up by being read. */
export function sourceOf(body: unknown): Source {
  const stream = body as Partial<ReadableStream<unknown>> & Partial<AsyncIterable<unknown>>;
  if (typeof stream.getReader === 'function') {
    const reader = stream.getReader();
    return {
      next: () => reader.read() as Promise<IteratorResult<unknown>>,
      async return() {
        await reader.cancel();
        return { done: true, value: undefined };
      },
    };
  }
  return stream[Symbol.asyncIterator]?.() ?? (body as Source);
}

/** Undefined for what is no bytes. */
export function bytesOf(chunk: unknown): Uint8Array | undefined {
  if (typeof chunk === 'string') return new TextEncoder().encode(chunk);
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  // By tag: an ArrayBuffer of another realm is no instance of this one's.
  const isBuffer = Object.prototype.toString.call(chunk) === '[object ArrayBuffer]';
  return isBuffer ? new Uint8Array(chunk as ArrayBuffer) : undefined;
}

/** A body that can be read only once, made readable again from its start for as long as it is short. */
export interface ReplayBody extends AsyncIterable<unknown> {
  /** False once more was read than is kept, or the source failed. */
  isReplayable(): boolean;
  /** Whether the source was read to its end. */
  isWhole(): boolean;
  /** Stops the reader there is: what it was given stays recorded for the next one. */
  rewind(): void;
  /**
   * Keeps nothing any more. The source is closed if its last reader left early, or where the request has failed: some
   * clients would read on.
   */
  dispose(hasFailed?: boolean): void;
}

/** The source with its record: what was read of it, as far as it is kept. */
interface Recording {
  /** Undefined once more was read than is kept. */
  kept: unknown[] | undefined;
  ended: boolean;
  failed: boolean;
  /** Keeps what is being read at this moment, even if it is too long. */
  pin(): void;
  /** Reads the next chunk; readers that ask while one is under way share it. */
  pull(): Promise<IteratorResult<unknown>>;
  close(): void;
}

function createRecording(body: unknown, cap: number): Recording {
  const source = sourceOf(body);
  let size = 0;
  let pinned = false;
  let pulling: Promise<IteratorResult<unknown>> | undefined;

  function record(chunk: unknown): void {
    const bytes = bytesOf(chunk);
    size += bytes?.byteLength ?? Number.POSITIVE_INFINITY;
    const fits = size <= cap || pinned;
    pinned = false;
    // A copy: a source may use its buffer again. What does not fit any more still reaches who reads from the record.
    recording.kept?.push(fits && bytes ? bytes.slice() : chunk);
    if (!fits) recording.kept = undefined;
  }

  function release(): void {
    const { destroy } = body as { destroy?: () => void };
    // The iterator of a Node stream would wait for the chunk that is being read.
    if (destroy === undefined) void (async () => source.return?.())().catch(() => undefined);
    else destroy.call(body);
  }

  async function read(): Promise<IteratorResult<unknown>> {
    try {
      const result = await source.next();
      if (result.done) recording.ended = true;
      else record(result.value);
      if (!recording.failed) pulling = undefined;
      return result;
    } catch (error) {
      // The failed read stays: a later reader must not take the silence after it for the end.
      recording.failed = true;
      throw error;
    }
  }

  const recording: Recording = {
    kept: [],
    ended: false,
    failed: false,
    pin() {
      pinned = pulling !== undefined;
    },
    pull: () => (pulling ??= read()),
    close() {
      if (recording.ended || recording.failed) return;
      recording.failed = true;
      // Whoever still reads must not take the end of the source for the end of the body.
      pulling = Promise.reject(notReplayable());
      pulling.catch(() => undefined);
      release();
    },
  };
  return recording;
}

export function notReplayable(): Error {
  return new Error('this body cannot be sent twice');
}

/**
 * Records what is read from `body`, up to `cap` bytes. Each iteration begins at the start and supersedes the one before
 * it: after the recorded part it goes on with the live source, so that an early 401 costs no more than what was sent.
 */
export function createReplayBody(body: unknown, cap: number): ReplayBody {
  const recording = createRecording(body, cap);
  let current = 0;
  let left = false;
  let disposed = false;

  const isReplayable = (): boolean => recording.kept !== undefined && !recording.failed;

  async function* chunks(isCurrent: () => boolean): AsyncGenerator<unknown> {
    let { kept } = recording;
    for (let index = 0; isCurrent();) {
      if (kept !== undefined && index < kept.length) {
        yield kept[index];
        index += 1;
        continue;
      }
      if (kept !== recording.kept) kept = undefined;
      if (recording.ended) return;
      const result = await recording.pull();
      if (result.done) return;
      // Recorded chunks are taken from the record, in order; others pass through.
      if ((kept === undefined || index >= kept.length) && isCurrent()) yield result.value;
    }
  }

  async function* iterate(): AsyncGenerator<unknown> {
    // A body without its head must not be sent.
    if (current > 0 && !isReplayable()) throw notReplayable();
    current += 1;
    const mine = current;
    left = false;
    let finished = false;
    try {
      yield* chunks(() => mine === current);
      finished = true;
    } finally {
      // As long as a replay may follow, the source must not notice that its reader left.
      if (mine === current && !finished) {
        left = true;
        if (disposed) recording.close();
      }
    }
  }

  return {
    isReplayable,
    isWhole: () => recording.ended,
    rewind() {
      current += 1;
      recording.pin();
    },
    dispose(hasFailed = false) {
      disposed = true;
      recording.kept = undefined;
      if (left || hasFailed) recording.close();
    },
    [Symbol.asyncIterator]: iterate,
  };
}

/** A recording as a web stream; not by ReadableStream.from, which some browsers lack. */
export function streamOf(recording: ReplayBody): ReadableStream<unknown> {
  const chunks = recording[Symbol.asyncIterator]();
  const source: UnderlyingDefaultSource<unknown> = {
    async pull(controller) {
      const result = (await chunks.next()) as IteratorResult<unknown, undefined>;
      if (result.done) controller.close();
      else controller.enqueue(result.value);
    },
    async cancel() {
      await chunks.return?.();
    },
  };
  return new ReadableStream(source, { highWaterMark: 0 });
}

interface NodeStreams {
  readonly Readable: { from(source: ReplayBody, options: { objectMode: boolean }): unknown };
}

const { process } = globalThis as {
  process?: { getBuiltinModule?: (id: string) => NodeStreams | undefined };
};
const node = process?.getBuiltinModule?.('node:stream');

/** A recording as a stream of the kind that the caller gave, for clients that do not take every kind. */
export function streamLike(given: unknown, recording: ReplayBody): unknown {
  const has = (name: string): boolean => typeof (given as Record<string, unknown>)[name] === 'function';
  if (has('pipe') && node !== undefined) return node.Readable.from(recording, { objectMode: false });
  return has('getReader') || has('pipe') ? streamOf(recording) : recording;
}
