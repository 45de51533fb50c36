import nodeFs, { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, jest, test } from '@jest/globals';
import type { TokenStore } from '@unexpired/core';
import { createFileLock } from '../src/file-lock.ts';
import { openFileStore } from '../src/file-store.ts';
import { afterwards, createPlace, patient, recordOf } from './place.ts';

/** A store whose writes of the file are counted. */
async function openCounted(): Promise<{ path: string; store: TokenStore; renames: () => number }> {
  const path = join(await createPlace(), 'credentials.json');
  let renames = 0;
  const rename = async (from: string, to: string): Promise<void> => {
    renames += 1;
    await nodeFs.rename(from, to);
  };
  const store = openFileStore(path, { ...nodeFs, rename } as typeof nodeFs);
  return { path, store, renames: () => renames };
}

test('records that are to be written while the file is written are written all at once', async () => {
  const { path, store, renames } = await openCounted();
  await store.write('user-0', recordOf(1), undefined);
  const writes = Array.from({ length: 50 }, async (_, i) => store.write(`user-${i}`, recordOf(2), undefined));

  // What one of them finds stored is its own failure.
  expect(await Promise.all(writes)).toEqual(writes.map((_, i) => i > 0));
  expect(renames()).toBe(2);
  const stored = JSON.parse(await readFile(path, 'utf8')) as { accounts: object };
  expect(Object.values(stored.accounts)).toEqual([recordOf(1), ...writes.slice(1).map(() => recordOf(2))]);
});

test('writes of one account at once are compared one after another', async () => {
  const { store, renames } = await openCounted();
  const writes = [
    store.write('ann', recordOf(1), undefined),
    store.write('ann', recordOf(9), undefined),
    store.write('ann', recordOf(2), 1),
    store.write('bob', recordOf(1), 0),
  ].map(async (write) => write);

  expect(await Promise.all(writes)).toEqual([true, false, true, false]);
  expect((await store.read('ann'))?.revision).toBe(2);
  expect(await store.read('bob')).toBeUndefined();
  expect(renames()).toBe(1);
});

test('nothing is written where nothing is to be changed', async () => {
  const { path, store, renames } = await openCounted();

  expect(
    await Promise.all([1, 2].map(async (expected) => store.write('ann', recordOf(3), expected))),
  ).toEqual([false, false]);
  expect(renames()).toBe(0);
  expect(await readdir(join(path, '..'))).toEqual(['credentials.json.write.lock']);
});

test('a sign-in beside other writes keeps a broken file aside once, and they find what a new file has', async () => {
  const { path, store } = await openCounted();
  await writeFile(path, '{');
  const writes = [
    store.write('ann', recordOf(2), 1),
    store.write('bob', recordOf(5), 'replace'),
    store.write('eve', recordOf(1), undefined),
  ].map(async (write) => write);

  expect(await Promise.all(writes)).toEqual([false, true, true]);
  const asides = (await readdir(join(path, '..'))).filter((name) => name.includes('.broken-'));
  expect(asides).toHaveLength(1);
  expect(await readFile(join(path, '..', asides[0]!), 'utf8')).toBe('{');
});

test('a record that is no JSON fails alone', async () => {
  const { path, store } = await openCounted();
  const [failed, written] = await Promise.allSettled([
    store.write('ann', recordOf(1, { theirs: 1n }), undefined),
    store.write('bob', recordOf(1), undefined),
  ]);

  expect(failed).toMatchObject({ status: 'rejected', reason: { code: 'ERR_STORE_FAILED' } });
  expect(written).toEqual({ status: 'fulfilled', value: true });
  expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ version: 1, accounts: { bob: recordOf(1) } });
});

test.each([
  ['one that has written before', false],
  // It removes what it finds of other writers.
  ['one that has not', true],
])('where the write lock is removed during a write, what is written by %s stays', async (_, isFresh) => {
  const path = join(await createPlace(), 'credentials.json');
  const other = openFileStore(path);
  await other.write('bob', recordOf(1), undefined);
  let written: boolean | undefined;
  const fs = {
    ...nodeFs,
    async open(file: string, flags: string, mode?: number) {
      const handle = await nodeFs.open(file, flags, mode);
      if (flags === 'wx' && written === undefined) {
        await rm(`${path}.write.lock`);
        written = await (isFresh ? openFileStore(path) : other).write('bob', recordOf(2), 1);
      }
      return handle;
    },
  } as typeof nodeFs;

  expect(await openFileStore(path, fs).write('ann', recordOf(1), undefined)).toBe(true);
  expect(written).toBe(true);
  expect((await other.read('ann'))?.revision).toBe(1);
  expect((await other.read('bob'))?.revision).toBe(2);
  expect((await readdir(join(path, '..'))).sort()).toEqual([
    'credentials.json',
    'credentials.json.write.lock',
  ]);
});

test('a write that another process never ends is an error in the end, and nothing is written', async () => {
  const path = join(await createPlace(), 'credentials.json');
  const store = openFileStore(path);
  await store.write('default', recordOf(1), undefined);
  const before = await readFile(path, 'utf8');
  const entered = Promise.withResolvers<void>();
  const stay = Promise.withResolvers<void>();
  const holding = createFileLock({ path: `${path}.write.lock` }).runExclusive(
    'write',
    () => {
      entered.resolve();
      return stay.promise;
    },
    patient,
  );
  await entered.promise;
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
  afterwards(() => jest.useRealTimers());
  const writing = Promise.resolve(store.write('default', recordOf(1), 'replace'));
  const failure = writing.catch((error: unknown) => error);
  await jest.advanceTimersByTimeAsync(5000);
  const later = Promise.resolve(store.write('ann', recordOf(1), undefined));
  const laterFailure = later.catch((error: unknown) => error);
  await jest.advanceTimersByTimeAsync(3000);
  const expected = {
    code: 'ERR_STORE_FAILED',
    message: expect.stringMatching(/Another write of .*credentials\.json has taken 8000 ms/),
  };

  expect(await failure).toMatchObject(expected);
  await jest.advanceTimersByTimeAsync(5000);
  expect(await laterFailure).toMatchObject(expected);
  stay.resolve();
  await holding;
  expect(await readFile(path, 'utf8')).toBe(before);
});

test('a sign-in that waited too long for a write of its own process is dropped', async () => {
  const path = join(await createPlace(), 'credentials.json');
  const renaming = Promise.withResolvers<void>();
  const stay = Promise.withResolvers<void>();
  const rename = async (from: string, to: string): Promise<void> => {
    renaming.resolve();
    await stay.promise;
    await nodeFs.rename(from, to);
  };
  const store = openFileStore(path, { ...nodeFs, rename } as typeof nodeFs);
  const slow = store.write('default', recordOf(1), undefined);
  await renaming.promise;
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
  afterwards(() => jest.useRealTimers());
  const late = Promise.resolve(store.write('default', recordOf(2), 'replace'));
  const failure = late.catch((error: unknown) => error);
  await jest.advanceTimersByTimeAsync(8000);
  stay.resolve();

  expect(await slow).toBe(true);
  expect(await failure).toMatchObject({ code: 'ERR_STORE_FAILED' });
  expect((await store.read('default'))?.revision).toBe(1);
});

test.each(['read', 'write'] as const)(
  'a %s that never ends keeps no other waiting for ever',
  async (call) => {
    const path = join(await createPlace(), 'credentials.json');
    const setTimer = globalThis.setTimeout;
    // An eighth of a second stands for eight.
    jest
      .spyOn(globalThis, 'setTimeout')
      .mockImplementation(((run: () => void, ms = 0) =>
        setTimer(run, ms >= 1000 ? ms / 64 : ms)) as typeof setTimeout);
    afterwards(() => jest.restoreAllMocks());
    const hanging = Promise.withResolvers<void>();
    let hangs = true;
    const never = new Promise<never>(() => undefined);
    const hang = (): Promise<never> => (hanging.resolve(), never);
    const fs = {
      ...nodeFs,
      readFile: (file: string) => (hangs && call === 'read' ? hang() : nodeFs.readFile(file)),
      rename: hang,
    } as unknown as typeof nodeFs;
    const store = openFileStore(path, fs);
    const ask = async (): Promise<unknown> =>
      call === 'read' ? store.read('ann') : store.write('ann', recordOf(1), undefined);
    void ask();
    await hanging.promise;
    hangs = false;
    const asked = ask().catch((error: unknown) => error);
    const expected = call === 'read' ? undefined : expect.objectContaining({ code: 'ERR_STORE_FAILED' });
    expect(await asked).toEqual(expected);
  },
);
