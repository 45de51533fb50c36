import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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

test('a file that cannot be read hints at nothing, and breaks nothing', async () => {
  const { path, writer, store } = await openTwo();
  const ann = follow(store, 'ann');
  await writeFile(path, '{');
  const hint = ann.hint();
  await writeFile(path, JSON.stringify({ version: 1, accounts: { ann: recordOf(9) } }));
  await hint;

  expect((await writer.read('ann'))?.revision).toBe(9);
});
