import { expect, test } from '@jest/globals';
import {
  createMemoryStore,
  createStoreFrom,
  type CredentialRecord,
  type ExclusiveSection,
  type TokenStore,
} from '@unexpired/core';
import { runStoreSuite, type StoreSuiteOptions } from '@unexpired/testing';

interface Outcome {
  readonly failed: string[];
  readonly skipped: string[];
  readonly passed: string[];
}

/** Runs the suite without a runner, and gives up on a case that does not end. */
async function outcomeOf(options: Omit<StoreSuiteOptions, 'test'>, patienceMs = 2000): Promise<Outcome> {
  const outcome: Outcome = { failed: [], skipped: [], passed: [] };
  const cases: [string, () => Promise<void>][] = [];
  const register = Object.assign((name: string, run: () => Promise<void>) => cases.push([name, run]), {
    skip: (name: string) => outcome.skipped.push(name),
  });
  runStoreSuite({ ...options, test: register });
  await Promise.all(
    cases.map(async ([name, run]) => {
      const timeout = Promise.withResolvers<never>();
      const timer = setTimeout(() => timeout.reject(new Error('It does not end.')), patienceMs);
      try {
        await Promise.race([run(), timeout.promise]);
        outcome.passed.push(name);
      } catch {
        outcome.failed.push(name);
      } finally {
        clearTimeout(timer);
      }
    }),
  );
  return outcome;
}

const section: ExclusiveSection = { signal: new AbortController().signal, clock: undefined };

/** A sound store with one part that is not. */
function broken(part: (sound: TokenStore) => Partial<TokenStore>): Omit<StoreSuiteOptions, 'test'> {
  return {
    createPlace: () => ({
      open() {
        const sound = createMemoryStore();
        return { ...sound, ...part(sound) };
      },
    }),
  };
}

/** Keeps the compare-and-set, and changes what is stored. */
const changing =
  (change: (record: CredentialRecord) => CredentialRecord) =>
  (sound: TokenStore): Partial<TokenStore> => ({
    write: (account, record, expected) => sound.write(account, change(record), expected),
  });

test.each<[string, (sound: TokenStore) => Partial<TokenStore>, string]>([
  [
    'answers null for nothing',
    (sound) => ({ read: async (account) => (await sound.read(account)) ?? (null as never) }),
    'an account without a record reads as undefined',
  ],
  [
    'ignores the expected revision',
    (sound) => ({ write: (account, record) => sound.write(account, record, 'replace') }),
    'a write over another revision than the stored one is refused, and changes nothing',
  ],
  [
    'writes a first record over another',
    (sound) => ({
      write: (account, record, expected) => sound.write(account, record, expected ?? 'replace'),
    }),
    'a first write is refused where a record is stored',
  ],
  [
    'compares before it writes, with a gap between',
    (sound) => ({
      async write(account, record, expected) {
        const stored = await sound.read(account);
        if (expected !== 'replace' && stored?.revision !== expected) return false;
        await new Promise(setImmediate);
        return sound.write(account, record, 'replace');
      },
    }),
    'of 20 writers over one revision one wins',
  ],
  [
    'knows no replace',
    (sound) => ({
      write: (account, record, expected) => expected !== 'replace' && sound.write(account, record, expected),
    }),
    '`replace` is written over whatever is stored, and over nothing',
  ],
  [
    'drops members it does not know',
    changing(({ version, revision, epoch, generation, tokens }) => ({
      version,
      revision,
      epoch,
      generation,
      tokens,
    })),
    'what is written is read, with members that nobody here knows',
  ],
  [
    'merges a record into the stored one',
    (sound) => ({
      async write(account, record, expected) {
        return sound.write(account, { ...(await sound.read(account)), ...record }, expected);
      },
    }),
    'a write over the stored revision replaces the whole record',
  ],
  [
    'takes accounts that differ in case for one',
    (sound) => ({
      read: (account) => sound.read(account.toLowerCase()),
      write: (account, record, expected) => sound.write(account.toLowerCase(), record, expected),
    }),
    'accounts of any name are apart',
  ],
  [
    'has no exclusive section',
    () => ({ runExclusive: (_account, task) => task(section) }),
    'tasks of one account run one after another',
  ],
  [
    'has one section for all accounts',
    (sound) => ({ runExclusive: (_account, task, signal) => sound.runExclusive('one', task, signal) }),
    'sections of two accounts run side by side',
  ],
  [
    'stays locked after a failure',
    (sound) => ({
      runExclusive: (account, task, signal) =>
        new Promise((resolve, reject) => {
          const running = sound.runExclusive(
            account,
            () =>
              new Promise<void>((leave) => {
                task(section).then((value) => {
                  resolve(value);
                  leave();
                }, reject);
              }),
            signal,
          );
          running.catch(reject);
        }),
    }),
    'a section settles as its task does, and is free afterwards',
  ],
  [
    'does not notice an abort while it waits',
    (sound) => ({
      runExclusive: (account, task) => sound.runExclusive(account, task, section.signal),
    }),
    'an abort while waiting rejects at once with its reason; that task is not run, and the next one is',
  ],
  [
    'ends a task on an abort',
    (sound) => ({
      runExclusive: (account, task, signal) =>
        Promise.race([
          sound.runExclusive(account, task, signal),
          new Promise<never>((_, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason as Error));
          }),
        ]),
    }),
    'an abort after the task has begun changes nothing',
  ],
  [
    'removes a record that was signed out',
    changing((record) => (record.signedOut ? { ...record, signedOut: undefined, epoch: 'e0' } : record)),
    'a sign-out is remembered, and a sign-in ends it',
  ],
  [
    'forgets refresh tokens',
    changing((record) => ({ ...record, tokens: { ...record.tokens, refresh_token: undefined } })),
    'each refresh token is presented once, in order',
  ],
])('a store that %s fails the case for it', async (_, part, name) => {
  const { failed, passed } = await outcomeOf(broken(part), 1000);

  expect(failed).toContain(name);
  expect(passed.length).toBeGreaterThan(0);
});

test('stores of one place that do not share it fail every case of two stores', async () => {
  const { failed, skipped } = await outcomeOf(
    {
      shared: true,
      createPlace: () => ({ open: () => createStoreFrom({ load: () => null, save: () => undefined }) }),
    },
    1000,
  );

  expect(failed).toEqual(
    expect.arrayContaining([
      'what one store writes another reads, and compares',
      'a write through one store is hinted at through another',
      'sources over two stores share one exchange',
    ]),
  );
  expect(skipped).toEqual([]);
});

test('a place of its own is made for each case, and closed after it', async () => {
  let open = 0;
  let made = 0;
  const { failed, skipped, passed } = await outcomeOf({
    createPlace() {
      open += 1;
      made += 1;
      return {
        open: createMemoryStore,
        close: () => {
          open -= 1;
        },
      };
    },
  });

  expect(failed).toEqual([]);
  expect(made).toBe(passed.length);
  expect(skipped.every((name) => name.endsWith('(not shared)'))).toBe(true);
  expect(open).toBe(0);
});
