import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../test/runs.ts';
import { classifyBody, createReplayBody, streamLike, streamOf, type ReplayBody } from '../src/replay-body.ts';

const CAP = 1024;

/** Collects what an iteration brings, as bytes; stops early after so many chunks. */
async function read(body: ReplayBody, chunks = Infinity): Promise<Buffer> {
  const found: Buffer[] = [];
  if (chunks === 0) return Buffer.alloc(0);
  for await (const chunk of body) {
    found.push(Buffer.from(chunk as Uint8Array));
    if (found.length >= chunks) break;
  }
  return Buffer.concat(found);
}

const text = async (body: ReplayBody, chunks?: number): Promise<string> =>
  (await read(body, chunks)).toString();

/** A source that gives its chunks when it is told to, and notes what is done to it. */
function createHandSource(): AsyncIterator<unknown> & {
  give(chunk: unknown): void;
  end(): void;
  fail(error: Error): void;
  readonly asked: number;
  readonly closed: number;
} {
  const waiting: PromiseWithResolvers<IteratorResult<unknown>>[] = [];
  let [asked, closed] = [0, 0];
  return {
    next() {
      asked += 1;
      const turn = Promise.withResolvers<IteratorResult<unknown>>();
      waiting.push(turn);
      return turn.promise;
    },
    async return() {
      closed += 1;
      return { done: true, value: undefined };
    },
    give: (value) => waiting.shift()!.resolve({ done: false, value }),
    end: () => waiting.shift()!.resolve({ done: true, value: undefined }),
    fail: (error) => waiting.shift()!.reject(error),
    get asked() {
      return asked;
    },
    get closed() {
      return closed;
    },
  };
}

function webStream(chunks: readonly unknown[]): ReadableStream<unknown> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
}

async function* generate(...chunks: unknown[]): AsyncGenerator<unknown> {
  yield* chunks;
}

describe('classifyBody', () => {
  const legacyStream = { pipe() {}, on() {} };

  test.each([
    ['undefined', undefined, 'none'],
    ['null', null, 'none'],
    ['a string', 'x', 'value'],
    ['an empty string', '', 'value'],
    ['a number', 5, 'value'],
    ['a Buffer', Buffer.from('x'), 'value'],
    ['an ArrayBuffer', new ArrayBuffer(2), 'value'],
    ['a Blob', new Blob(['x']), 'value'],
    ['URLSearchParams', new URLSearchParams('a=b'), 'value'],
    ['FormData', new FormData(), 'value'],
    ['plain data', { a: 1 }, 'value'],
    ['a list', ['x'], 'value'],
    ['a restartable iterable', { [Symbol.iterator]: () => ['x'].values() }, 'value'],
    ['a restartable async iterable', { [Symbol.asyncIterator]: () => generate('x') }, 'value'],
    ['a web stream', new ReadableStream(), 'one-shot'],
    ['a Node stream', Readable.from(['x']), 'one-shot'],
    ['an async generator', generate('x'), 'one-shot'],
    ['an iterator', ['x'].values(), 'one-shot'],
    ['a stream that only pipes', legacyStream, 'opaque'],
  ])('%s', (_, body, kind) => {
    expect(classifyBody(body)).toBe(kind);
  });
});

describe('a recording', () => {
  const sources: [string, () => unknown][] = [
    ['a web stream', () => webStream(['ab', 'cd', 'ef'].map((chunk) => Buffer.from(chunk)))],
    [
      'a web stream that cannot be iterated, as of some browsers',
      () => {
        const stream = webStream(['ab', 'cd', 'ef'].map((chunk) => Buffer.from(chunk)));
        return { getReader: () => stream.getReader() };
      },
    ],
    ['a Node stream', () => Readable.from([Buffer.from('ab'), Buffer.from('cd'), Buffer.from('ef')])],
    ['an async generator', () => generate('ab', 'cd', 'ef')],
    ['a generator', () => ['ab', 'cd', 'ef'].values()],
    [
      'an iterator that is not iterable',
      () => {
        const values = ['ab', 'cd', 'ef'].values();
        return { next: () => values.next() };
      },
    ],
  ];

  test.each(sources)('of %s is read again from its start', async (_, source) => {
    const body = createReplayBody(source(), CAP);

    expect([await text(body), await text(body), body.isReplayable()]).toEqual(['abcdef', 'abcdef', true]);
  });

  test.each(sources)('of %s goes on with the live source after what was read', async (_, source) => {
    const body = createReplayBody(source(), CAP);

    expect([await text(body, 1), await text(body, 2), await text(body)]).toEqual(['ab', 'abcd', 'abcdef']);
  });

  test.each([
    ['text', ['é', ''], 'é'],
    ['a Buffer', [Buffer.from('é')], 'é'],
    ['a part of a buffer', [new Uint8Array(Buffer.from('-é-')).subarray(1, 3)], 'é'],
    ['a view of wider elements', [new Uint16Array([0x6161, 0x6262])], 'aabb'],
    ['a DataView', [new DataView(new Uint8Array([0x61]).buffer)], 'a'],
    ['an ArrayBuffer', [new Uint8Array([0x61, 0x62]).buffer], 'ab'],
    ['nothing', [], ''],
  ])('takes chunks that are %s', async (_, chunks, expected) => {
    const body = createReplayBody(generate(...chunks), CAP);

    expect([await text(body), await text(body), body.isReplayable()]).toEqual([expected, expected, true]);
  });

  test('takes chunks of another kind as they are, and is not replayable then', async () => {
    const odd = { not: 'bytes' };
    const body = createReplayBody(generate('ab', odd, 'cd'), CAP);
    const found: unknown[] = [];
    for await (const chunk of body) found.push(chunk);

    expect(found.slice(1)).toEqual([odd, 'cd']);
    expect(body.isReplayable()).toBe(false);
  });

  test('copies buffers that the source uses again', async () => {
    async function* reuse(): AsyncGenerator<Uint8Array> {
      const buffer = Buffer.from('ab');
      yield buffer;
      buffer.write('cd');
      yield buffer;
    }
    const body = createReplayBody(reuse(), CAP);

    expect([await text(body), await text(body)]).toEqual(['abcd', 'abcd']);
  });

  test('does not ask a source again that has ended', async () => {
    const source = createHandSource();
    const body = createReplayBody(source, CAP);
    const reading = text(body);
    source.end();

    expect([await reading, await text(body), source.asked]).toEqual(['', '', 1]);
  });

  test('reads nothing before it is asked', async () => {
    const source = createHandSource();
    const body = createReplayBody(source, CAP);

    expect([source.asked, body.isReplayable()]).toEqual([0, true]);
  });
});

describe('the cap', () => {
  test.each([
    ['below', 5, true],
    ['at', 4, true],
    ['above', 3, false],
    ['far above', 1, false],
  ])('four bytes, %s a cap of %d: replayable %p', async (_, cap, replayable) => {
    const body = createReplayBody(generate('ab', 'cd'), cap);

    expect([await text(body), body.isReplayable()]).toEqual(['abcd', replayable]);
  });

  test('that is passed while the body is sent again does not cut it', async () => {
    const body = createReplayBody(generate('ab', 'cd', 'ef', 'gh'), 4);

    expect(await text(body, 2)).toBe('abcd');
    expect(body.isReplayable()).toBe(true);
    expect([await text(body), body.isReplayable()]).toEqual(['abcdefgh', false]);
  });

  test('once passed, a further reading fails rather than beginning in the middle', async () => {
    const body = createReplayBody(generate('ab', 'cd', 'ef'), 3);
    await read(body, 2);

    expect(body.isReplayable()).toBe(false);
    await expect(read(body)).rejects.toThrow('this body cannot be sent twice');
  });

  test('of 0 keeps nothing but an empty body', async () => {
    const [empty, some] = [createReplayBody(generate(), 0), createReplayBody(generate('a'), 0)];

    expect([await text(empty), empty.isReplayable()]).toEqual(['', true]);
    expect([await text(some), some.isReplayable()]).toEqual(['a', false]);
  });
});

describe('a source that fails', () => {
  test('fails its reader, and is not replayable', async () => {
    const source = createHandSource();
    const body = createReplayBody(source, CAP);
    const reading = text(body);
    source.give('ab');
    await new Promise(setImmediate);
    source.fail(new Error('the disk is gone'));

    await expect(reading).rejects.toThrow('the disk is gone');
    expect(body.isReplayable()).toBe(false);
  });

  test('fails a reader that began before it failed, after what was read', async () => {
    async function* failing(): AsyncGenerator<string> {
      yield 'ab';
      throw new Error('the disk is gone');
    }
    const body = createReplayBody(failing(), CAP);
    await text(body, 1);
    const chunks = body[Symbol.asyncIterator]();

    expect(Buffer.from((await chunks.next()).value as Uint8Array).toString()).toBe('ab');
    await expect(chunks.next()).rejects.toThrow('the disk is gone');
  });

  test('never looks like one that ended', async () => {
    async function* failing(): AsyncGenerator<string> {
      yield 'ab';
      throw new Error('the disk is gone');
    }
    const body = createReplayBody(failing(), CAP);
    await expect(text(body)).rejects.toThrow('the disk is gone');

    await expect(text(body)).rejects.toThrow('this body cannot be sent twice');
  });

  test('fails a slow reader that was still at what was read when it failed', async () => {
    const source = createHandSource();
    const body = createReplayBody(source, CAP);
    const old = body[Symbol.asyncIterator]();
    const first = old.next();
    source.give('ab');
    await first;
    const pending = old.next();
    const replay = body[Symbol.asyncIterator]();
    await replay.next();
    source.fail(new Error('the disk is gone'));
    await pending.catch(() => undefined);

    await expect(replay.next()).rejects.toThrow('the disk is gone');
    expect(source.asked).toBe(2);
  });

  test('fails both readers of one chunk', async () => {
    const source = createHandSource();
    const body = createReplayBody(source, CAP);
    const first = body[Symbol.asyncIterator]().next();
    const second = body[Symbol.asyncIterator]().next();
    const outcomes = Promise.allSettled([first, second]);
    source.fail(new Error('the disk is gone'));

    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(source.asked).toBe(1);
  });
});

describe('a reader that is superseded', () => {
  test('ends, and the chunk that it waited for reaches the new one', async () => {
    const source = createHandSource();
    const body = createReplayBody(source, CAP);
    const old = body[Symbol.asyncIterator]();
    const first = old.next();
    source.give('ab');
    await first;
    const pending = old.next();

    const replay = text(body);
    source.give('cd');
    expect(await pending).toMatchObject({ done: true });
    await new Promise(setImmediate);
    source.end();

    expect([await replay, source.asked, source.closed]).toEqual(['abcd', 3, 0]);
  });

  test('does not take the chunk that passes the cap from the new one', async () => {
    const source = createHandSource();
    const body = createReplayBody(source, 3);
    const old = body[Symbol.asyncIterator]();
    const first = old.next();
    source.give('ab');
    await first;
    const pending = old.next();

    const replay = text(body);
    source.give('cd');
    await pending;
    await new Promise(setImmediate);
    source.end();

    expect([await replay, body.isReplayable()]).toEqual(['abcd', false]);
  });

  test('does not close the source when it leaves', async () => {
    const source = createHandSource();
    const body = createReplayBody(source, CAP);
    const old = body[Symbol.asyncIterator]();
    const first = old.next();
    source.give('ab');
    await first;
    const replay = text(body);
    await new Promise(setImmediate);
    await old.return!();
    body.dispose();

    expect(source.closed).toBe(0);
    source.end();
    expect(await replay).toBe('ab');
  });
});

describe('rewinding', () => {
  test('stops the reader there is, and the source waits for the next one', async () => {
    const source = createHandSource();
    const body = createReplayBody(source, CAP);
    const old = body[Symbol.asyncIterator]();
    const first = old.next();
    source.give('ab');
    await first;
    body.rewind();
    expect([(await old.next()).done, source.asked]).toEqual([true, 1]);

    const replay = text(body);
    await new Promise(setImmediate);
    source.end();
    expect([await replay, source.closed]).toEqual(['ab', 0]);
  });

  test('keeps the old reader out for good', async () => {
    const source = createHandSource();
    const body = createReplayBody(source, CAP);
    const old = body[Symbol.asyncIterator]();
    const first = old.next();
    source.give('ab');
    await first;
    body.rewind();
    const replay = body[Symbol.asyncIterator]();
    await replay.next();

    expect([(await old.next()).done, source.asked]).toEqual([true, 1]);
  });

  test('keeps the chunk that is being read, even if it passes the cap', async () => {
    const source = createHandSource();
    const body = createReplayBody(source, 3);
    const old = body[Symbol.asyncIterator]();
    const first = old.next();
    source.give('ab');
    await first;
    const pending = old.next();
    body.rewind();
    source.give('cd');
    expect((await pending).done).toBe(true);

    expect(body.isReplayable()).toBe(true);
    const replay = text(body);
    await new Promise(setImmediate);
    source.give('ef');
    await new Promise(setImmediate);
    source.end();
    expect([await replay, body.isReplayable()]).toEqual(['abcdef', false]);
  });

  test('keeps the chunk that is being read, even if it is no bytes', async () => {
    const source = createHandSource();
    const odd = { not: 'bytes' };
    const body = createReplayBody(source, CAP);
    const pending = body[Symbol.asyncIterator]().next();
    body.rewind();
    source.give(odd);
    await pending;

    expect(await body[Symbol.asyncIterator]().next()).toEqual({ done: false, value: odd });
  });

  test('keeps no chunk beyond the cap that nobody was reading', async () => {
    const body = createReplayBody(generate('ab', 'cd'), 3);
    await text(body, 1);
    body.rewind();

    expect([await text(body), body.isReplayable()]).toEqual(['abcd', false]);
  });
});

describe('disposal', () => {
  const begin = async (): Promise<{
    source: ReturnType<typeof createHandSource>;
    body: ReplayBody;
    reader: AsyncIterator<unknown>;
  }> => {
    const source = createHandSource();
    const body = createReplayBody(source, CAP);
    const reader = body[Symbol.asyncIterator]();
    const first = reader.next();
    source.give('ab');
    await first;
    return { source, body, reader };
  };

  test('closes the source whose last reader left early', async () => {
    const { source, body, reader } = await begin();
    await reader.return!();

    expect(source.closed).toBe(0);
    body.dispose();
    expect([source.closed, body.isReplayable()]).toEqual([1, false]);
  });

  test('closes the source when its reader leaves afterwards', async () => {
    const { source, body, reader } = await begin();
    body.dispose();

    expect(source.closed).toBe(0);
    await reader.return!();
    expect(source.closed).toBe(1);
  });

  test('closes the source once', async () => {
    const { source, body, reader } = await begin();
    await reader.return!();
    body.dispose();
    body.dispose();

    expect(source.closed).toBe(1);
  });

  test('does not disturb a reader that is still at it', async () => {
    const { source, body, reader } = await begin();
    const second = reader.next();
    body.dispose();
    source.give('cd');
    expect(await second).toEqual({ done: false, value: 'cd' });
    const third = reader.next();
    await new Promise(setImmediate);
    source.give('ef');
    expect(await third).toEqual({ done: false, value: 'ef' });
    const end = reader.next();
    await new Promise(setImmediate);
    source.end();

    expect([(await end).done, source.closed]).toEqual([true, 0]);
  });

  test('leaves a source alone that was read to its end, that failed, or that was never read', async () => {
    const [ended, failed, unread] = [createHandSource(), createHandSource(), createHandSource()];
    const bodies = [ended, failed, unread].map((source) => createReplayBody(source, CAP));
    const reading = text(bodies[0]!);
    ended.end();
    await reading;
    const failing = text(bodies[1]!);
    failed.fail(new Error('the disk is gone'));
    await failing.catch(() => undefined);
    for (const body of bodies) body.dispose();

    expect([ended.closed, failed.closed, unread.closed]).toEqual([0, 0, 0]);
  });

  test('of a body that nobody read yet leaves it to be read once', async () => {
    const body = createReplayBody(generate('ab', 'cd'), CAP);
    body.dispose();

    expect([await text(body), body.isReplayable()]).toEqual(['abcd', false]);
  });

  test('cancels a web stream that cannot be iterated', async () => {
    let cancelled = 0;
    const stream = new ReadableStream({
      pull: (controller) => controller.enqueue(Buffer.from('ab')),
      cancel() {
        cancelled += 1;
      },
    });
    const body = createReplayBody({ getReader: () => stream.getReader() }, CAP);
    await text(body, 1);
    body.dispose();

    expect(cancelled).toBe(1);
  });

  test('cancels a web stream', async () => {
    let cancelled = 0;
    const stream = new ReadableStream({
      pull: (controller) => controller.enqueue(Buffer.from('ab')),
      cancel() {
        cancelled += 1;
      },
    });
    const body = createReplayBody(stream, CAP);
    await text(body, 1);

    expect(cancelled).toBe(0);
    body.dispose();
    expect(cancelled).toBe(1);
  });

  test('destroys a Node stream', async () => {
    const stream = new Readable({ read: () => undefined });
    stream.push('ab');
    const body = createReplayBody(stream, CAP);
    await text(body, 1);

    expect(stream.destroyed).toBe(false);
    body.dispose();
    await new Promise(setImmediate);
    expect(stream.destroyed).toBe(true);
  });

  test('passes over a source that cannot be closed', async () => {
    const plain = createReplayBody({ next: () => ({ done: false, value: 'ab' }) }, CAP);
    const odd = createReplayBody(
      { next: () => ({ done: false, value: 'ab' }), return: () => Promise.reject(new Error('no')) },
      CAP,
    );
    for (const body of [plain, odd]) {
      await text(body, 1);
      expect(() => body.dispose()).not.toThrow();
    }
    await new Promise(setImmediate);
  });
});

describe('streamOf', () => {
  test('gives the recording as a web stream, each time from its start', async () => {
    const body = createReplayBody(generate('ab', 'cd'), CAP);
    const drained = async (): Promise<string> => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of streamOf(body)) chunks.push(chunk as Uint8Array);
      return Buffer.concat(chunks).toString();
    };

    expect([await drained(), await drained()]).toEqual(['abcd', 'abcd']);
  });

  test('reads nothing before its reader asks, and lets go when it is cancelled', async () => {
    const source = createHandSource();
    const body = createReplayBody(source, CAP);
    const stream = streamOf(body);
    await new Promise(setImmediate);
    expect(source.asked).toBe(0);

    const reader = stream.getReader();
    const first = reader.read();
    await new Promise(setImmediate);
    source.give('ab');
    await first;
    await reader.cancel();
    body.dispose();

    expect(source.closed).toBe(1);
  });

  test('fails as its source does', async () => {
    const source = createHandSource();
    const reader = streamOf(createReplayBody(source, CAP)).getReader();
    const first = reader.read();
    await new Promise(setImmediate);
    source.fail(new Error('the disk is gone'));

    await expect(first).rejects.toThrow('the disk is gone');
  });
});

describe('streamLike', () => {
  const drained = async (stream: unknown): Promise<string> => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of stream as AsyncIterable<Uint8Array>) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  };

  test.each([
    ['a Node stream for a Node stream', Readable.from(['']), Readable],
    ['a web stream for a web stream', webStream([]), ReadableStream],
  ] as [string, object, new () => object][])('gives %s, each time from its start', async (_, given, kind) => {
    const body = createReplayBody(generate('ab', 'cd'), CAP);
    const [first, second] = [streamLike(given, body), streamLike(given, body)];

    expect([first, second].every((stream) => stream instanceof kind)).toBe(true);
    expect([await drained(first), await drained(second)]).toEqual(['abcd', 'abcd']);
  });

  test('gives a Node stream of bytes, as its first was', () => {
    const stream = streamLike(Readable.from(['']), createReplayBody(generate('ab'), CAP)) as Readable;

    expect(stream.readableObjectMode).toBe(false);
  });

  test('gives the recording itself for an iterator', () => {
    const body = createReplayBody(generate('ab'), CAP);

    expect(streamLike(generate(), body)).toBe(body);
  });
});

test('any chunking, left at any point, is read again byte for byte, or is said not to be replayable', async () => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 8 }), { maxLength: 8 });
  const forms = fc.constantFrom('web', 'node', 'generator');
  const sourceFor = (form: string, parts: Uint8Array[]): unknown => {
    if (form === 'web') return webStream(parts);
    // A Node stream of no bytes at a time would end early.
    return form === 'node' ? Readable.from(parts, { objectMode: true }) : generate(...parts);
  };
  await fc.assert(
    fc.asyncProperty(
      chunks,
      forms,
      fc.nat(40),
      fc.array(fc.nat(9), { minLength: 1, maxLength: 4 }),
      async (parts, form, cap, leaving) => {
        const whole = Buffer.concat(parts);
        const body = createReplayBody(sourceFor(form, parts), cap);
        let attempts = 0;
        for (const stop of leaving) {
          const part = await read(body, stop);
          attempts += 1;
          expect(whole.subarray(0, part.length).equals(part)).toBe(true);
          if (!body.isReplayable()) break;
        }

        if (body.isReplayable()) {
          expect((await read(body)).equals(whole)).toBe(true);
        } else {
          expect(whole.length).toBeGreaterThan(cap);
          if (attempts > 0) await expect(read(body)).rejects.toThrow('cannot be sent twice');
        }
      },
    ),
    runs(300),
  );
});

test('any interleaving of an old reader, the source and a replay keeps the replay whole', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.uint8Array({ minLength: 1, maxLength: 4 }), { maxLength: 6 }),
      fc.nat(24),
      fc.nat(6),
      async (scheduler, parts, cap, stop) => {
        const whole = Buffer.concat(parts);
        async function* live(): AsyncGenerator<Uint8Array> {
          for (const part of parts) yield await scheduler.schedule(Promise.resolve(part), 'chunk');
        }
        const body = createReplayBody(live(), cap);
        const old = read(body, stop + 1);
        const replay = scheduler.schedule(Promise.resolve(), 'replay').then(async () => {
          if (!body.isReplayable()) return undefined;
          return read(body);
        });
        await scheduler.waitFor(Promise.all([old, replay]));
        const replayed = await replay;

        expect(replayed === undefined || replayed.equals(whole)).toBe(true);
      },
    ),
    runs(200),
  );
});
