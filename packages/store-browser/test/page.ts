// Runs in a page; tests reach its stores by what it leaves in `globalThis.stores`.
import type { CredentialRecord, TokenStore } from '@unexpired/core';
import { createBrowserStore } from '@unexpired/store-browser';

/** What the test gives to the page. */
declare global {
  /** Runs the task of a section in the test, and says whether it succeeded. */
  var runTask: (section: number) => Promise<boolean>;
  var hinted: (following: number) => Promise<void>;
  var stores: PageStores;
}

/** Which record of which store. */
export interface Place {
  readonly name: string;
  readonly account: string;
}

/** The stores of a page, by name, as functions of what can be sent there. */
export interface PageStores {
  read(place: Place): Promise<CredentialRecord | undefined>;
  write(place: Place, record: CredentialRecord, expected: number | undefined | 'replace'): Promise<boolean>;
  runExclusive(
    place: Place,
    section: number,
    isAborted: boolean,
  ): Promise<'succeeded' | 'failed' | 'aborted'>;
  /** Ends the waiting for a section. */
  abort(section: number): void;
  listen(place: Place, following: number): void;
  stop(following: number): void;
}

const known = new Map<string, TokenStore>();
const waiting = new Map<number, AbortController>();
const followed = new Map<number, () => void>();

function storeOf(name: string): TokenStore {
  const store = known.get(name) ?? createBrowserStore({ name });
  known.set(name, store);
  return store;
}

globalThis.stores = {
  read: async ({ name, account }) => storeOf(name).read(account),
  write: async ({ name, account }, record, expected) => storeOf(name).write(account, record, expected),
  async runExclusive({ name, account }, section, isAborted) {
    const controller = new AbortController();
    const { signal } = controller;
    waiting.set(section, controller);
    if (isAborted) stores.abort(section);
    const failure = new Error('of the task');
    const task = async (): Promise<void> => {
      if (!(await runTask(section))) throw failure;
    };
    try {
      await storeOf(name).runExclusive(account, task, signal);
      return 'succeeded';
    } catch (error) {
      if (error === failure) return 'failed';
      if (error === signal.reason) return 'aborted';
      throw error;
    }
  },
  abort: (section) => waiting.get(section)?.abort(new Error('aborted')),
  listen: ({ name, account }, following) =>
    void followed.set(
      following,
      storeOf(name).subscribe(account, () => void hinted(following))!,
    ),
  stop: (following) => followed.get(following)?.(),
};
