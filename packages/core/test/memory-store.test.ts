import { describe, expect, test } from '@jest/globals';
import { createMemoryStore, createStoreFrom, type RecordStorage } from '../src/memory-store.ts';
import { exchangedRecord, signedInRecord, type CredentialRecord } from '../src/record.ts';
import type { TokenStore } from '../src/token-store.ts';

const never = new AbortController().signal;

function recordOf(revision: number): CredentialRecord {
  const record = signedInRecord('e1', { access_token: `a${revision}` }, { sentAt: 0 });
  return { ...record, revision };
}

/** A store over a map of JSON texts, as a database or localStorage would be. */
function createTextStore(): { store: TokenStore; texts: Map<string, string> } {
  const texts = new Map<string, string>();
  const store = createStoreFrom({
    async load(account) {
      const text = texts.get(account);
      return text === undefined ? null : (JSON.parse(text) as unknown);
    },
    async save(account, record) {
      texts.set(account, JSON.stringify(record));
    },
  });
  return { store, texts };
}

const stores: [string, () => TokenStore][] = [
  ['createMemoryStore', createMemoryStore],
  ['createStoreFrom', () => createTextStore().store],
];

describe.each(stores)('%s', (_, create) => {
  test('has nothing at first', async () => {
    expect(await create().read('alice')).toBeUndefined();
  });

  test('keeps a record for each account', async () => {
    const store = create();
    expect(await store.write('alice', recordOf(1), undefined)).toBe(true);
    expect(await store.write('bob', recordOf(2), undefined)).toBe(true);

    expect(await store.read('alice')).toMatchObject({ revision: 1 });
    expect(await store.read('bob')).toMatchObject({ revision: 2 });
  });

  test.each([
    ['nothing where something is', undefined, false],
    ['an older revision', 4, false],
    ['a newer revision', 6, false],
    ['the stored revision', 5, true],
    ['whatever is there', 'replace', true],
  ] as const)('writes over %s only if that is so', async (__, expected, written) => {
    const store = create();
    await store.write('alice', recordOf(5), undefined);

    expect(await store.write('alice', recordOf(6), expected)).toBe(written);
    expect(await store.read('alice')).toMatchObject({ revision: written ? 6 : 5 });
  });

  test('expects nothing where nothing is', async () => {
    expect(await create().write('alice', recordOf(1), 0)).toBe(false);
    expect(await create().write('alice', recordOf(1), 'replace')).toBe(true);
  });

  test('lets one of two writers win that expect the same', async () => {
    const store = create();
    const writing = [1, 2, 3].map(async (n) => store.write('alice', recordOf(n), undefined));

    expect(await Promise.all(writing)).toEqual([true, false, false]);
  });

  test('runs one exclusive section of an account at a time, and writes inside of it', async () => {
    const store = create();
    const log: string[] = [];
    const task = (name: string) => async (): Promise<string> => {
      log.push(`${name} begins`);
      await store.write('alice', recordOf(1), 'replace');
      await new Promise(setImmediate);
      log.push(`${name} ends`);
      return name;
    };

    expect(
      await Promise.all(['a', 'b'].map((name) => store.runExclusive('alice', task(name), never))),
    ).toEqual(['a', 'b']);
    expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
  });

  test('never loses a section, and counts claims by the clock of this machine', async () => {
    await create().runExclusive(
      'alice',
      async ({ signal, clock }) => {
        expect([signal.aborted, clock]).toEqual([false, undefined]);
      },
      never,
    );
  });

  test('ends the wait for a section by its signal', async () => {
    const reason = new Error('gone');

    await expect(create().runExclusive('alice', async () => 'ran', AbortSignal.abort(reason))).rejects.toBe(
      reason,
    );
  });

  test('has no other writer to wait for', () => {
    expect(create().subscribe('alice', () => undefined)).toBeUndefined();
  });
});

describe('createStoreFrom', () => {
  test.each([null, undefined])('takes %p for nothing stored', async (nothing) => {
    const store = createStoreFrom({ load: () => nothing, save: () => undefined });

    expect(await store.read('alice')).toBeUndefined();
  });

  test('saves plain JSON: no member is undefined', async () => {
    const saved: CredentialRecord[] = [];
    const store = createStoreFrom({ load: () => null, save: (_, record) => void saved.push(record) });
    const record = exchangedRecord(
      { ...recordOf(1), claim: { at: 5 } },
      { access_token: 'a' },
      { sentAt: 0 },
    );
    await store.write('alice', record, undefined);

    expect(saved).toHaveLength(1);
    expect(Object.entries(saved[0]!).filter(([, value]) => value === undefined)).toEqual([]);
    expect(saved[0]).toEqual(record);
    expect(saved[0]).not.toBe(record);
  });

  test.each([
    ['load', { load: () => Promise.reject(new Error('disk full')), save: () => undefined }],
    ['save', { load: () => null, save: () => Promise.reject(new Error('disk full')) }],
  ] as [string, RecordStorage][])('rejects a write that %s fails, and stays usable', async (_, storage) => {
    const store = createStoreFrom(storage);

    await expect(store.write('alice', recordOf(1), undefined)).rejects.toThrow('disk full');
    await expect(store.write('alice', recordOf(1), undefined)).rejects.toThrow('disk full');
  });

  test.each([
    [undefined, '`load` must be a function, got undefined'],
    [{ save: () => undefined }, '`load` must be a function, got undefined'],
    [{ load: () => null, save: 'db' }, '`save` must be a function, got a string'],
  ])('tells what %j lacks', (storage, message) => {
    expect(() => createStoreFrom(storage as unknown as RecordStorage)).toThrow(new TypeError(message));
  });

  test('excludes other stores over the same storage', async () => {
    let stored: CredentialRecord | undefined;
    const storage: RecordStorage = {
      load: async () => stored,
      async save(_, record) {
        await new Promise(setImmediate);
        stored = record;
      },
    };
    const writing = [1, 2].map(async (n) => createStoreFrom(storage).write('alice', recordOf(n), undefined));

    expect(await Promise.all(writing)).toEqual([true, false]);
  });

  test('does not read before a write that replaces whatever is there', async () => {
    const store = createStoreFrom({
      load: () => Promise.reject(new Error('garbage')),
      save: () => undefined,
    });

    expect(await store.write('alice', recordOf(1), 'replace')).toBe(true);
  });

  test('a read that throws is not nothing', async () => {
    const store = createStoreFrom({
      load: () => {
        throw new Error('locked');
      },
      save: () => undefined,
    });

    await expect((async () => store.read('alice'))()).rejects.toThrow('locked');
  });
});
