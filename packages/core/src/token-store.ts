import type { CredentialRecord } from './record.ts';

/** What a store tells of its exclusive section while a task runs in it. */
export interface ExclusiveSection {
  /** Aborts when the section is lost, as a lease can be; never under a lock that the system holds for its owner. */
  readonly signal: AbortSignal;
  /** The clock that claims are dated by (epoch ms) where machines share the store; undefined: this machine's. */
  readonly clock: { now(): number } | undefined;
  /**
   * Aborts `signal` if the section is lost; asked before each sending of a refresh token, since a process that was
   * halted learns of nothing by itself in time. A rejection counts as lost. Absent where a section is never lost.
   */
  readonly check?: (() => Promise<void>) | undefined;
}

/**
 * Where credentials live. One object serves many accounts; every method may be called at any time and side by side.
 * Failures throw and are shown to callers as `ERR_STORE_FAILED`; a store never removes anything by itself.
 */
export interface TokenStore {
  /**
   * The stored record, or undefined for "nothing is stored" and for nothing else: what cannot be read is thrown, so
   * that nobody is signed out because a disk was busy.
   */
  read(account: string): CredentialRecord | undefined | Promise<CredentialRecord | undefined>;
  /**
   * Stores `record`, all of it or nothing, durably, if what is stored still has the revision `expected` (undefined:
   * if nothing is stored); resolves to false, with nothing written, if it has not. `'replace'` is written whatever is
   * there, for a sign-in over a record that cannot be read; what was there is kept aside where that is possible.
   */
  write(
    account: string,
    record: CredentialRecord,
    expected: number | undefined | 'replace',
  ): boolean | Promise<boolean>;
  /**
   * Runs `task` while no other task of this account runs, in any process that shares the store, and settles as the
   * task does. Fair or not, but never lost: the section ends when the task settles or its process dies, not because
   * its holder is slow (a lease that does run out aborts the section's signal). `signal` ends only the waiting: then
   * it rejects with the signal's reason and the task is not run.
   */
  runExclusive<T>(
    account: string,
    task: (section: ExclusiveSection) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T>;
  /**
   * Calls back when another writer may have changed the record; a hint, never relied on. Returns what ends it, or
   * undefined where nobody but this process writes.
   */
  subscribe(account: string, onChange: () => void): (() => void) | undefined;
}
