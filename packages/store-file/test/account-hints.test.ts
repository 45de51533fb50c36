import nodeFs, { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import type { TokenStore } from '@unexpired/core';
import { openFileStore } from '../src/file-store.ts';
import { afterwards, createPlace, recordOf } from './place.ts';

/** Counts the hints for an account, and waits for the next one. */
function follow(store: TokenStore, account: string) {
  let count = 0;
  let next = Promise.withResolvers<void>();
  const stop = store.subscribe(account, () => {
    count += 1;
    next.resolve();
    next = Promise.withResolvers();
  });
  afterwards(() => stop?.());
  return {
    hint: () => next.promise,
    count: () => count,
  };
}

async function openTwo(): Promise<{ path: string; writer: TokenStore; store: TokenStore }> {
  const path = join(await createPlace(), 'credentials.json');
  const writer = openFileStore(path);
  for (const account of ['ann', 'bob']) await writer.write(account, recordOf(1), undefined);
  return { path, writer, store: openFileStore(path) };
}

test('a write is hinted at to those who follow its account, and to nobody else', async () => {
  const { writer, store } = await openTwo();
  const [ann, bob, bobToo] = [follow(store, 'ann'), follow(store, 'bob'), follow(store, 'bob')];
  // The first change finds out what there is.
  const first = Promise.all([ann.hint(), bob.hint()]);
  await writer.write('bob', recordOf(2), 1);
  await first;
  const before = [ann.count(), bob.count(), bobToo.count()];

  const second = bob.hint();
  await writer.write('bob', recordOf(3), 2);
  await second;

  expect(before).toEqual([1, 1, 1]);
  expect([ann.count(), bob.count(), bobToo.count()]).toEqual([1, 2, 2]);
});

test('a write of this process is no news to it', async () => {
  const { writer, store } = await openTwo();
  const [ann, bob] = [follow(store, 'ann'), follow(store, 'bob')];
  const first = Promise.all([ann.hint(), bob.hint()]);
  await writer.write('bob', recordOf(2), 1);
  await first;

  const second = bob.hint();
  await store.write('ann', recordOf(2), 1);
  await writer.write('bob', recordOf(3), 2);
  await second;

  expect(ann.count()).toBe(1);
});

test('an older record that comes back, and one that goes, are news', async () => {
  const { path, store } = await openTwo();
  const ann = follow(store, 'ann');
  const written = (revision: number): string =>
    JSON.stringify({ version: 1, accounts: { ann: recordOf(revision) } });
  for (const change of [
    () => writeFile(path, written(5)),
    () => writeFile(path, written(4)),
    () => rm(path),
  ]) {
    const hint = ann.hint();
    await change();
    await hint;
  }

  expect(ann.count()).toBe(3);
});

test('a record that was read as another meanwhile, and is as it was when it was hinted at, is news', async () => {
  const { path } = await openTwo();
  let revision = 4;
  const readFile = async (): Promise<Buffer> =>
    Buffer.from(JSON.stringify({ version: 1, accounts: { ann: recordOf(revision) } }));
  const store = openFileStore(path, { ...nodeFs, readFile } as unknown as typeof nodeFs);
  const ann = follow(store, 'ann');
  const first = ann.hint();
  await writeFile(path, 'changed');
  await first;
  revision = 5;
  await store.read('ann');

  revision = 4;
  const second = ann.hint();
  await writeFile(path, 'changed again');
  await second;

  expect(ann.count()).toBe(2);
});

test('a file that cannot be read hints at nothing, and breaks nothing', async () => {
  const { path, writer, store } = await openTwo();
  const ann = follow(store, 'ann');
  await writeFile(path, '{');
  const hint = ann.hint();
  await writeFile(path, JSON.stringify({ version: 1, accounts: { ann: recordOf(9) } }));
  await hint;

  expect((await writer.read('ann'))?.revision).toBe(9);
});

/** A file system whose reads are counted, and held back while there is a gate. */
function countedReads() {
  const state = { reads: 0, running: 0, most: 0, gate: undefined as Promise<void> | undefined };
  const readFile = async (path: string): Promise<Buffer> => {
    state.reads += 1;
    state.running += 1;
    state.most = Math.max(state.most, state.running);
    const bytes = await nodeFs.readFile(path);
    await state.gate;
    state.running -= 1;
    return bytes;
  };
  return { state, fs: { ...nodeFs, readFile } as typeof nodeFs };
}

test('reads and looks for any number of accounts run one at a time, and those to come share the next one', async () => {
  const { path, writer } = await openTwo();
  const { state, fs } = countedReads();
  const store = openFileStore(path, fs);
  const [ann, bob] = [follow(store, 'ann'), follow(store, 'bob')];
  const gate = Promise.withResolvers<void>();
  state.gate = gate.promise;
  const first = Promise.resolve(store.read('ann'));
  while (state.reads === 0) await setImmediate();
  const hints = Promise.all([ann.hint(), bob.hint()]);
  await writer.write('bob', recordOf(2), 1);
  const later = Array.from({ length: 50 }, async (_, i) => store.read(i % 2 === 0 ? 'ann' : 'bob'));
  gate.resolve();
  await hints;

  expect((await first)?.revision).toBe(1);
  expect((await Promise.all(later)).map((record) => record?.revision)).toEqual(
    later.map((_, i) => 1 + (i % 2)),
  );
  expect(state.most).toBe(1);
  // The first, the one that the others share, and the look, where its event came after that began.
  expect(state.reads).toBeLessThanOrEqual(3);
});

test('a read that fails is its own callers’, and the next one reads again', async () => {
  const { path } = await openTwo();
  const { state, fs } = countedReads();
  const store = openFileStore(path, fs);
  state.gate = Promise.reject(new Error('a disk that is busy'));
  state.gate.catch(() => undefined);
  await expect(store.read('ann')).rejects.toMatchObject({ code: 'ERR_STORE_FAILED' });
  state.gate = undefined;

  expect((await store.read('ann'))?.revision).toBe(1);
});
