import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../test/runs.ts';
import { createKeyedMutex } from '../src/keyed-mutex.ts';

const never = new AbortController().signal;
const tick = (): Promise<void> => new Promise(setImmediate);

/** A task that ends when it is told to, and notes when it began. */
function createTask(log: string[], name: string): { run: () => Promise<string>; end: () => void } {
  const ending = Promise.withResolvers<void>();
  return {
    async run() {
      log.push(name);
      await ending.promise;
      return name;
    },
    end: ending.resolve,
  };
}

describe('tasks of one key', () => {
  test('run one at a time, first come first served', async () => {
    const mutex = createKeyedMutex();
    const log: string[] = [];
    const tasks = ['a', 'b', 'c', 'd'].map((name) => createTask(log, name));
    const results = tasks.map(({ run }) => mutex.runExclusive('k', run, never));
    for (const [index, { end }] of tasks.entries()) {
      await tick();
      expect(log).toEqual(['a', 'b', 'c', 'd'].slice(0, index + 1));
      end();
    }

    expect(await Promise.all(results)).toEqual(['a', 'b', 'c', 'd']);
  });

  test('wait, coming late, for the one that took over', async () => {
    const mutex = createKeyedMutex();
    const log: string[] = [];
    const [first, second, late] = ['a', 'b', 'c'].map((name) => createTask(log, name));
    const running = mutex.runExclusive('k', first!.run, never);
    const next = mutex.runExclusive('k', second!.run, never);
    first!.end();
    await running;
    await tick();
    const last = mutex.runExclusive('k', late!.run, never);
    await tick();

    expect([log, mutex.size]).toEqual([['a', 'b'], 1]);
    second!.end();
    late!.end();
    expect(await Promise.all([next, last])).toEqual(['b', 'c']);
  });

  test.each([
    ['rejects', () => Promise.reject(new Error('no'))],
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
  ])('follow one that %s', async (_, fail: () => Promise<never>) => {
    const mutex = createKeyedMutex();
    const failing = mutex.runExclusive('k', fail, never);
    const next = mutex.runExclusive('k', async () => 'next', never);

    await expect(failing).rejects.toThrow('no');
    expect([await next, mutex.size]).toEqual(['next', 0]);
  });
});

test('tasks of different keys run side by side', async () => {
  const mutex = createKeyedMutex();
  const log: string[] = [];
  const tasks = ['a', 'b'].map((name) => createTask(log, name));
  const results = tasks.map(({ run }, index) => mutex.runExclusive(`k${index}`, run, never));
  await tick();

  expect([log, mutex.size]).toEqual([['a', 'b'], 2]);
  for (const { end } of tasks) end();
  await Promise.all(results);
  expect(mutex.size).toBe(0);
});

describe('an abort', () => {
  test('before the call keeps the task from being run', async () => {
    const mutex = createKeyedMutex();
    const reason = new Error('gone');
    const log: string[] = [];
    const { run } = createTask(log, 'a');

    await expect(mutex.runExclusive('k', run, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect([log, mutex.size]).toEqual([[], 0]);
  });

  test('ends the waiting at once, with its reason, and for nobody else', async () => {
    const mutex = createKeyedMutex();
    const log: string[] = [];
    const [first, second, third] = ['a', 'b', 'c'].map((name) => createTask(log, name));
    const leaving = new AbortController();
    const running = mutex.runExclusive('k', first!.run, never);
    const left = mutex.runExclusive('k', second!.run, leaving.signal);
    const waiting = mutex.runExclusive('k', third!.run, never);
    await tick();
    const reason = new Error('gone');
    leaving.abort(reason);

    await expect(left).rejects.toBe(reason);
    expect(log).toEqual(['a']);
    first!.end();
    await running;
    await tick();
    expect(log).toEqual(['a', 'c']);
    third!.end();
    expect([await waiting, mutex.size]).toEqual(['c', 0]);
  });

  test('of a task that runs changes nothing', async () => {
    const mutex = createKeyedMutex();
    const leaving = new AbortController();
    const task = createTask([], 'a');
    const running = mutex.runExclusive('k', task.run, leaving.signal);
    await tick();
    leaving.abort();
    const next = mutex.runExclusive('k', async () => 'next', never);
    task.end();

    expect([await running, await next]).toEqual(['a', 'next']);
  });

  test('of the last who waited leaves the key free', async () => {
    const mutex = createKeyedMutex();
    const leaving = new AbortController();
    const task = createTask([], 'a');
    const running = mutex.runExclusive('k', task.run, never);
    const left = mutex.runExclusive('k', async () => 'b', leaving.signal);
    await tick();
    leaving.abort();
    await left.catch(() => undefined);
    task.end();
    await running;

    expect(mutex.size).toBe(0);
    expect(await mutex.runExclusive('k', async () => 'c', never)).toBe('c');
  });
});

test('any order of calls, ends and aborts runs one task at a time and leaves nothing behind', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(fc.record({ key: fc.constantFrom('k', 'l'), aborts: fc.boolean() }), { maxLength: 8 }),
      async (scheduler, calls) => {
        const mutex = createKeyedMutex();
        const running = { k: 0, l: 0 };
        const results = calls.map(async ({ key, aborts }) => {
          const leaving = new AbortController();
          if (aborts) void scheduler.schedule(Promise.resolve()).then(() => leaving.abort(new Error('gone')));
          const task = async (): Promise<void> => {
            running[key as 'k' | 'l'] += 1;
            expect(running[key as 'k' | 'l']).toBe(1);
            await scheduler.schedule(Promise.resolve());
            running[key as 'k' | 'l'] -= 1;
          };
          await mutex.runExclusive(key, task, leaving.signal).catch((error: Error) => {
            expect([aborts, error.message]).toEqual([true, 'gone']);
          });
        });
        await scheduler.waitFor(Promise.all(results));

        expect(mutex.size).toBe(0);
      },
    ),
    runs(100),
  );
});

test('keeps nothing of a hundred thousand keys that were used once', async () => {
  const mutex = createKeyedMutex();
  let ran = 0;
  for (let start = 0; start < 100_000; start += 100) {
    const keys = Array.from({ length: 100 }, (_, n) => `k${start + n}`);
    await Promise.all(
      keys.map((key) =>
        mutex.runExclusive(
          key,
          async () => {
            ran += 1;
          },
          never,
        ),
      ),
    );
  }

  expect([ran, mutex.size]).toEqual([100_000, 0]);
});
