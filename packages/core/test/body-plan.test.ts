import { Readable } from 'node:stream';
import { describe, expect, jest, test } from '@jest/globals';
import { drain, isOneShot, planBody, type RequestBody } from '../src/body-plan.ts';
import type { ReplayBody } from '../src/replay-body.ts';

async function* generate(...chunks: unknown[]): AsyncGenerator<unknown> {
  yield* chunks;
}

async function text(body: unknown): Promise<string> {
  const found: Uint8Array[] = [];
  for await (const chunk of body as ReplayBody) found.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(found).toString();
}

function bodyOf(value: unknown, others: Partial<RequestBody> = {}): RequestBody {
  return { value, toClientBody: (recording) => recording, ...others };
}

const legacyStream = { pipe() {} };

describe('a body that the client reads anew', () => {
  test.each([
    ['none', undefined],
    ['null', null],
    ['text', 'x'],
    ['bytes', Buffer.from('x')],
    ['a form', new FormData()],
    ['an iterable', { [Symbol.asyncIterator]: () => generate('x') }],
  ])('%s is sent as it is, both times', async (_, value) => {
    const plan = planBody(bodyOf(value), 0);

    expect(plan.first).toBe(value);
    expect([plan.isReplayable(), isOneShot(bodyOf(value))]).toEqual([true, false]);
    expect(plan.recording).toBeUndefined();
    expect(await plan.again()).toBe(value);
  });
});

describe("a caller's factory", () => {
  test('is called for the replay alone, and wins over a recording', async () => {
    const stream = generate('x');
    const factory = jest.fn(() => 'fresh');
    const plan = planBody(bodyOf(stream, { factory }), 1024);

    expect(plan.first).toBe(stream);
    expect([plan.isReplayable(), isOneShot(bodyOf(stream, { factory }))]).toEqual([true, false]);
    expect(factory).not.toHaveBeenCalled();
    expect(await plan.again()).toBe('fresh');
    expect(factory).toHaveBeenCalledTimes(1);
    plan.recording?.dispose();
  });

  test('may be asynchronous', async () => {
    expect(await planBody(bodyOf('x', { factory: async () => 'fresh' }), 0).again()).toBe('fresh');
  });

  test('that throws is not caught', () => {
    const factory = (): never => {
      throw new Error('no such file');
    };

    expect(() => planBody(bodyOf('x', { factory }), 0).again()).toThrow('no such file');
  });
});

describe('a body that is used up', () => {
  test('is recorded, and sent again', async () => {
    const plan = planBody(bodyOf(generate('ab', 'cd')), 4);

    expect(isOneShot(bodyOf(generate()))).toBe(true);
    expect([await text(plan.first), plan.isReplayable(), await text(await plan.again())]).toEqual([
      'abcd',
      true,
      'abcd',
    ]);
  });

  test('reaches the client in the form that it takes, both times', async () => {
    const toClientBody = (recording: ReplayBody): unknown => Readable.from(recording);
    const plan = planBody(bodyOf(generate('ab'), { toClientBody }), 4);

    expect(plan.first).toBeInstanceOf(Readable);
    expect([await text(plan.first), await text(await plan.again())]).toEqual(['ab', 'ab']);
  });

  test('reaches the client as a stream of the kind that the caller gave, unless the client wants another', async () => {
    const plan = planBody({ value: Readable.from([Buffer.from('ab')]) }, 4);

    expect(plan.first).toBeInstanceOf(Readable);
    expect([await text(plan.first), await text(await plan.again())]).toEqual(['ab', 'ab']);
  });

  test('is not replayable once it was too long', async () => {
    const plan = planBody(bodyOf(generate('ab', 'cd')), 3);

    expect(plan.isReplayable()).toBe(true);
    expect([await text(plan.first), plan.isReplayable()]).toEqual(['abcd', false]);
  });

  test('stops its first reader when a replay is decided', async () => {
    const plan = planBody(bodyOf(generate('ab', 'cd')), 4);
    const chunks = (plan.first as ReplayBody)[Symbol.asyncIterator]();
    await chunks.next();
    plan.recording?.rewind();

    expect((await chunks.next()).done).toBe(true);
    expect(await text(await plan.again())).toBe('abcd');
  });

  test('is not kept once the request is over', async () => {
    const plan = planBody(bodyOf(generate('ab')), 4);
    await text(plan.first);
    plan.recording?.dispose();

    expect(plan.isReplayable()).toBe(false);
  });

  test.each([
    ['where nothing is to be kept', bodyOf(generate('ab')), 0],
    ['where it is declared to be too long', bodyOf(generate('ab'), { contentLength: 5 }), 4],
    ['where it cannot be read from outside', bodyOf(legacyStream), 1024],
  ])('is sent as it is %s', async (_, body, replayBytes) => {
    const plan = planBody(body, replayBytes);

    expect(plan.first).toBe(body.value);
    expect([plan.isReplayable(), isOneShot(body)]).toEqual([false, true]);
    expect(() => plan.again()).toThrow('this body cannot be sent twice');
  });

  test('is recorded where its declared length just fits', async () => {
    const plan = planBody(bodyOf(generate('abcd'), { contentLength: 4 }), 4);

    expect([await text(plan.first), plan.isReplayable()]).toEqual(['abcd', true]);
  });
});

test.each([
  ['Node stream', (chunks: AsyncIterable<unknown>) => Readable.from(chunks)],
  ['web stream', (chunks: AsyncIterable<unknown>) => Readable.toWeb(Readable.from(chunks))],
  ['generator', (chunks: AsyncIterable<unknown>) => chunks],
])('a request that has failed closes its source, a %s, while somebody reads it', async (_, make) => {
  const closed = Promise.withResolvers<void>();
  async function* endless(): AsyncGenerator<string> {
    try {
      for (;;) yield 'x';
    } finally {
      closed.resolve();
    }
  }
  const plan = planBody(bodyOf(make(endless())), 1000);
  const reading = (plan.first as ReplayBody)[Symbol.asyncIterator]();
  await reading.next();

  plan.recording?.dispose(true);

  await closed.promise;
  await expect(
    (async () => {
      for (;;) await reading.next();
    })(),
  ).rejects.toThrow('this body cannot be sent twice');
  expect(plan.isReplayable()).toBe(false);
});

describe('drain', () => {
  const KIB = 1024;

  /** A body of so many chunks of 1 KiB, and what became of it. */
  function createBody(chunks: number): {
    body: ReadableStream<Uint8Array>;
    read: () => number;
    cancelled: () => boolean;
  } {
    let [given, cancelled] = [0, false];
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          if (given === chunks) return controller.close();
          given += 1;
          controller.enqueue(new Uint8Array(KIB));
        },
        cancel() {
          cancelled = true;
        },
      },
      { highWaterMark: 0 },
    );
    return { body, read: () => given, cancelled: () => cancelled };
  }

  test('reads a short body to its end', async () => {
    const { body, read, cancelled } = createBody(64);
    await drain(body);

    expect([read(), cancelled()]).toEqual([64, false]);
  });

  test('cancels a body after 256 KiB', async () => {
    const { body, read, cancelled } = createBody(1000);
    await drain(body);

    expect([read(), cancelled()]).toEqual([257, true]);
  });

  test('reads a short stream of what is no bytes to its end', async () => {
    let ended = false;
    async function* objects(): AsyncGenerator<unknown> {
      yield* [{ a: 1 }, { a: 2 }];
      ended = true;
    }
    await drain(objects());

    expect(ended).toBe(true);
  });

  test('destroys a long Node stream', async () => {
    const stream = Readable.from(Array.from({ length: 1000 }, () => Buffer.alloc(KIB)));
    await drain(stream);

    expect(stream.destroyed).toBe(true);
  });

  test.each([
    ['nothing', undefined],
    ['null', null],
    ['text', 'x'],
    ['data', { a: 1 }],
    [
      'a stream that fails',
      new ReadableStream({
        pull() {
          throw new Error('reset');
        },
      }),
    ],
    ['a stream that somebody reads', lockedStream()],
  ])('passes over %s', async (_, body) => {
    await expect(drain(body)).resolves.toBeUndefined();
  });

  function lockedStream(): ReadableStream {
    const stream = new ReadableStream();
    stream.getReader();
    return stream;
  }
});
