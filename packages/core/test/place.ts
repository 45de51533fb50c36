import {
  createKeyedMutex,
  type CredentialRecord,
  type ExclusiveSection,
  type TokenStore,
} from '@unexpired/core';

type Call = 'read' | 'write' | 'lock';

/** Where records are kept, outside of any process. */
export interface Place {
  readonly records: Map<string, CredentialRecord>;
  /** Every record that was written, in order. */
  readonly written: CredentialRecord[];
  reads: number;
  /**
   * Called before each write and lock takes effect, and before what was read is answered: what it throws is the call's
   * failure, what it waits for delays the call.
   */
  before: (call: Call, record?: CredentialRecord) => void | Promise<void>;
  /** One process' store over this place. */
  open(section?: Partial<ExclusiveSection>): TokenStore;
  /** How many follow what is written here. */
  readonly followers: number;
  /** The record of the account that tests use. */
  readonly record: CredentialRecord | undefined;
}

/** A shared place with a lock and change hints, whose records are copies as those of a file are. */
export function createPlace(): Place {
  const records = new Map<string, CredentialRecord>();
  const mutex = createKeyedMutex();
  const followers = new Set<{ readonly store: TokenStore; readonly onChange: () => void }>();
  const place: Place = {
    records,
    written: [],
    reads: 0,
    before: () => undefined,
    get record() {
      return records.get('default');
    },
    get followers() {
      return followers.size;
    },
    open({ signal = new AbortController().signal, clock, check } = {}) {
      const store: TokenStore = {
        async read(account) {
          place.reads += 1;
          const record = structuredClone(records.get(account));
          await place.before('read');
          return record;
        },
        async write(account, record, expected) {
          await place.before('write', record);
          if (expected !== 'replace' && records.get(account)?.revision !== expected) return false;
          const copy = JSON.parse(JSON.stringify(record)) as CredentialRecord;
          records.set(account, copy);
          place.written.push(copy);
          for (const { store: other, onChange } of followers) if (other !== store) onChange();
          return true;
        },
        async runExclusive(account, task, waiting) {
          await place.before('lock');
          return mutex.runExclusive(account, () => task({ signal, clock, check }), waiting);
        },
        subscribe(_account, onChange) {
          const follower = { store, onChange };
          followers.add(follower);
          return () => void followers.delete(follower);
        },
      };
      return store;
    },
  };
  return place;
}
