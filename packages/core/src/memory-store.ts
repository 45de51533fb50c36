import { invalidOption } from './options.ts';
import { createKeyedMutex, type KeyedMutex } from './keyed-mutex.ts';
import type { CredentialRecord } from './record.ts';
import type { ExclusiveSection, TokenStore } from './token-store.ts';

const neverLost = new AbortController().signal;

const section: ExclusiveSection = { signal: neverLost, clock: undefined };

/** Keeps credentials in this process, for as long as it runs. The store that a token source has by default. */
export function createMemoryStore(): TokenStore {
  const records = new Map<string, CredentialRecord>();
  const mutex = createKeyedMutex();
  return {
    read: (account) => records.get(account),
    write(account, record, expected) {
      if (expected !== 'replace' && records.get(account)?.revision !== expected) return false;
      records.set(account, record);
      return true;
    },
    runExclusive: (account, task, signal) => mutex.runExclusive(account, () => task(section), signal),
    subscribe: () => undefined,
  };
}

/** What `createStoreFrom` needs: one record of plain JSON for each account. */
export interface RecordStorage {
  /** The record last saved, or null or undefined where there is none. Throws where it cannot be read. */
  load(account: string): unknown;
  /** Keeps the record, durably when it settles. Claims and sign-out markers go through it too. */
  save(account: string, record: CredentialRecord): unknown;
}

interface Exclusion {
  readonly writing: KeyedMutex;
  readonly exclusive: KeyedMutex;
}

// Several stores over one storage exclude each other, as one store does.
const exclusions = new WeakMap<RecordStorage, Exclusion>();

/**
 * A store of one's own for one process: "save it in my database, in localStorage". Processes that share a credential
 * need a `TokenStore` whose exclusive section reaches all of them.
 *
 * @throws TypeError where `load` or `save` is no function
 */
export function createStoreFrom(storage: RecordStorage): TokenStore {
  for (const name of ['load', 'save'] as const) {
    const given: unknown = (storage as Partial<RecordStorage> | undefined)?.[name];
    if (typeof given !== 'function') throw invalidOption(name, 'a function', given);
  }
  const known = exclusions.get(storage) ?? { writing: createKeyedMutex(), exclusive: createKeyedMutex() };
  exclusions.set(storage, known);
  const { writing, exclusive } = known;
  const read = async (account: string): Promise<CredentialRecord | undefined> =>
    ((await storage.load(account)) as CredentialRecord | null | undefined) ?? undefined;
  return {
    read,
    write: (account, record, expected) =>
      writing.runExclusive(
        account,
        async () => {
          if (expected !== 'replace' && (await read(account))?.revision !== expected) return false;
          // Plain JSON and a copy: databases choke on members that are undefined, or store them as null.
          await storage.save(account, JSON.parse(JSON.stringify(record)) as CredentialRecord);
          return true;
        },
        neverLost,
      ),
    runExclusive: (account, task, signal) => exclusive.runExclusive(account, () => task(section), signal),
    subscribe: () => undefined,
  };
}
