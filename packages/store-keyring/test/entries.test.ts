import { expect, test } from '@jest/globals';
import type { CredentialRecord } from '@unexpired/core';
import { openEntries } from '../src/entries.ts';
import type { Keyring } from '../src/keyring.ts';
import { openParts, type Parts } from '../src/parts.ts';

const LIMIT = 120;

interface FakeKeyring extends Keyring {
  readonly secrets: Map<string, string>;
  /** So many more changes, then its process dies. */
  changes: number;
}

/** A keyring with short entries. */
function createKeyring(): FakeKeyring {
  const secrets = new Map<string, string>();
  const change = (keyring: FakeKeyring): void => {
    keyring.changes -= 1;
    if (keyring.changes < 0) throw new Error('killed');
  };
  return {
    secrets,
    changes: Infinity,
    get: async (user) => secrets.get(user),
    async set(user, secret) {
      change(this);
      if (secret.length > LIMIT || !/^[ -~]*$/.test(secret)) throw new Error('not of that size or kind');
      secrets.set(user, secret);
    },
    async remove(user) {
      change(this);
      secrets.delete(user);
    },
  };
}

function recordOf(revision: number, text = ''): CredentialRecord {
  return { version: 1, revision, epoch: 'e1', generation: 1, text };
}

const long = (letter: string, length: number): string => letter.repeat(length);

test('a record that one entry can hold is in one', async () => {
  const keyring = createKeyring();
  await openEntries(keyring, LIMIT).write('ann', recordOf(1));
  expect([...keyring.secrets.keys()]).toEqual([expect.stringMatching(/^ann-[0-9a-f]{32}$/)]);
});

test('a record of any length and characters comes back as it was', async () => {
  const keyring = createKeyring();
  const record = recordOf(1, `${'ü\u{1F511}"\\\n'.repeat(60)}\0\uD800`);
  await openEntries(keyring, LIMIT).write('ann', record);
  expect(await openEntries(keyring, LIMIT).read('ann')).toEqual(record);
});

test.each([
  ['a long one', long('a', 500), long('b', 700)],
  ['a long one by a short one', long('a', 500), ''],
  ['a short one by a long one', '', long('b', 500)],
])(
  'whenever a process dies that replaces %s, the old record or the new one is there, whole',
  async (_, from, to) => {
    let isWritten = false;
    let found = new Set<unknown>();
    for (let changes = 0; !isWritten; changes += 1) {
      const keyring = createKeyring();
      await openEntries(keyring, LIMIT).write('ann', recordOf(1, from));
      keyring.changes = changes;
      isWritten = await openEntries(keyring, LIMIT)
        .write('ann', recordOf(2, to))
        .then(() => keyring.changes >= 0)
        .catch(() => false);
      keyring.changes = Infinity;
      const stored = (await openEntries(keyring, LIMIT).read('ann')) as CredentialRecord;
      expect(stored).toEqual(stored.revision === 1 ? recordOf(1, from) : recordOf(2, to));
      found = found.add(stored.revision);

      await openEntries(keyring, LIMIT).write('ann', recordOf(3));
      expect(keyring.secrets.size).toBe(1);
    }
    expect(found).toEqual(new Set([1, 2]));
  },
);

test('a reader that is overtaken by writers reads again', async () => {
  const keyring = createKeyring();
  const entries = openEntries(keyring, LIMIT);
  await entries.write('ann', recordOf(1, long('a', 500)));
  let gets = 0;
  const slow: Keyring = {
    ...keyring,
    async get(user) {
      const secret = await keyring.get(user);
      gets += 1;
      // Between the parts of the first record, both sets change.
      if (gets === 3) {
        await entries.write('ann', recordOf(2, long('b', 500)));
        await entries.write('ann', recordOf(3, long('c', 500)));
      }
      return secret;
    },
  };
  expect(await openEntries(slow, LIMIT).read('ann')).toEqual(recordOf(3, long('c', 500)));
});

test.each<[string, string, RegExp]>([
  ['is of another program', 'hunter2', /was not written by this library, or is damaged/],
  ['is null', 'null', /was not written by this library/],
  ['has no record', '{"version":1}', /was not written by this library/],
  ['has a record that is null', '{"version":1,"record":null}', /was not written by this library/],
  ['is newer', '{"version":2,"record":{}}', /was written by a newer version/],
  [
    'lacks parts',
    `{"version":1,"parts":{"set":"a","count":2,"digest":"${long('0', 32)}"}}`,
    /lacks some of its parts/,
  ],
])('an entry that %s is an error that tells nothing of it', async (_, text, message) => {
  const keyring = createKeyring();
  const entries = openEntries(keyring, LIMIT);
  await entries.write('ann', recordOf(1));
  const [user = ''] = keyring.secrets.keys();
  keyring.secrets.set(user, text);
  const reading = entries.read('ann');
  await expect(reading).rejects.toMatchObject({
    code: 'ERR_STORE_FAILED',
    message: expect.stringMatching(message),
  });
  await expect(reading).rejects.not.toThrow(/hunter2/);

  await entries.keepAside('ann');
  await entries.write('ann', recordOf(2));
  expect(await entries.read('ann')).toEqual(recordOf(2));
  expect([...keyring.secrets.values()]).toContain(text);
});

test('a record in parts that is kept aside stays whole', async () => {
  const keyring = createKeyring();
  const entries = openEntries(keyring, LIMIT);
  const record = recordOf(1, long('a', 500));
  await entries.write('ann', record);
  await entries.keepAside('ann');
  await entries.write('ann', recordOf(2, long('b', 500)));
  await entries.write('ann', recordOf(3));

  const aside = [...keyring.secrets.keys()].find((name) => / broken-\S+$/.test(name))!;
  const { parts } = JSON.parse(keyring.secrets.get(aside)!) as { parts: Parts };
  expect(JSON.parse((await openParts(keyring, LIMIT).join(aside, parts))!)).toEqual(record);
  expect(await entries.read('ann')).toEqual(recordOf(3));
});
