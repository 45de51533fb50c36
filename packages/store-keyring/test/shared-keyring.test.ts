import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { CredentialRecord } from '@unexpired/core';
import { createFileLock } from '@unexpired/store-file';
import type { Keyring } from '../src/keyring.ts';
import { placeIn, type Place } from '../src/place.ts';
import { openSharedKeyring, type SharedKeyring } from '../src/shared-keyring.ts';

const LIMIT = 120;
const patient = new AbortController().signal;

let directory: string;
let place: Place;
let secrets: Map<string, string>;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'unexpired-keyring-'));
  place = placeIn(directory, 'test');
  secrets = new Map();
});

afterEach(() => rmSync(directory, { recursive: true }));

const keyring: Keyring = {
  get: async (user) => secrets.get(user),
  set: async (user, secret) => void secrets.set(user, secret),
  remove: async (user) => void secrets.delete(user),
};

function open(own: Partial<Keyring> = {}): SharedKeyring {
  return openSharedKeyring({ ...keyring, ...own }, place, LIMIT);
}

function recordOf(revision: number, text = ''): CredentialRecord {
  return { version: 1, revision, epoch: 'e1', generation: 1, text };
}

const change = (record: CredentialRecord, expected: number | undefined | 'replace') => ({
  account: 'ann',
  record,
  expected,
  until: Infinity,
});

test.each([
  ['in one entry', 'old', 'new', 'newest'],
  ['in parts', 'o'.repeat(500), 'n'.repeat(500), 'm'.repeat(500)],
])('where the write lock is removed during a write %s, the write of another stays', async (_, ...texts) => {
  const other = open();
  const [from, to, late] = texts.map((text, index) => recordOf(Math.min(index + 1, 2), text));
  await other.write(change(from!, undefined));
  let gets = 0;
  const writing = open({
    async get(user) {
      const secret = await keyring.get(user);
      gets += /^ann-\S+$/.test(user) ? 1 : 0;
      // The record has been compared.
      if (gets === 2) {
        gets += 1;
        rmSync(place.writeLock);
        await other.write(change(to!, 1));
      }
      return secret;
    },
  }).write(change(late!, 1));
  await expect(writing).rejects.toMatchObject({
    code: 'ERR_STORE_FAILED',
    message: expect.stringContaining('was removed or replaced while it was in use'),
  });
  expect(await other.read('ann')).toEqual(to);
});

test('a replacement whose caller has given up is dropped, what compares lands late', async () => {
  const shared = open();
  await shared.write(change(recordOf(1), undefined));
  const writes: Promise<boolean>[] = [];
  const until = Date.now() + 50;
  await createFileLock({ path: place.writeLock }).runExclusive(
    'account ann',
    async () => {
      writes.push(shared.write({ ...change(recordOf(7), 'replace'), until }));
      writes.push(shared.write({ ...change(recordOf(2), 1), until }));
      while (Date.now() <= until) await new Promise(setImmediate);
    },
    patient,
  );
  await expect(writes[0]).rejects.toMatchObject({ code: 'ERR_STORE_FAILED' });
  expect(await writes[1]).toBe(true);
  expect(await shared.read('ann')).toEqual(recordOf(2));
});

test('a keyring that does not give back what it was given is not trusted with anything', async () => {
  const written: string[] = [];
  const shared = open({
    get: async () => undefined,
    set: async (user) => void written.push(user),
  });
  const message = expect.stringContaining('it did not give back what was stored in it');
  const refused = { code: 'ERR_STORE_FAILED', message };
  await expect(shared.read('ann')).rejects.toMatchObject(refused);
  await expect(shared.write(change(recordOf(1), undefined))).rejects.toMatchObject(refused);
  expect(written).toEqual(['unexpired-probe', 'unexpired-probe']);
});
