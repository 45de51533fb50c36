import type { CredentialRecord, ExclusiveSection, TokenStore } from '../../src/index.ts';
import type { Host } from './operation.ts';
import type { Scheduler } from './scheduler.ts';

/** What all processes of a simulation share: one record, durable as soon as it is written, and one lock. */
export interface BackingStore {
  readonly record: CredentialRecord | undefined;
  /** Every record that was ever durable, in order. */
  readonly history: readonly CredentialRecord[];
  readonly lockHolder: Host | undefined;
  /** What the kernel does when a process dies. */
  freeLock(host: Host): void;
  /** This process's store. Every call is an operation that the scheduler releases. */
  openStore(host: Host, scheduler: Scheduler, hints: boolean): TokenStore;
}

interface Follower {
  readonly host: Host;
  readonly scheduler: Scheduler;
  readonly onChange: () => void;
}

/** What is stored is a copy, and plain JSON. */
function copied(record: CredentialRecord): CredentialRecord {
  return JSON.parse(JSON.stringify(record)) as CredentialRecord;
}

export function createBackingStore(): BackingStore {
  const history: CredentialRecord[] = [];
  const followers = new Set<Follower>();
  // One for each world: what listens to it in a process that crashed ends with the world.
  const neverLost: ExclusiveSection = { signal: new AbortController().signal, clock: undefined };
  let holder: Host | undefined;

  function write(writer: Host, record: CredentialRecord, expected: number | undefined | 'replace'): boolean {
    if (expected !== 'replace' && history.at(-1)?.revision !== expected) return false;
    history.push(copied(record));
    for (const { host, scheduler, onChange } of followers) {
      if (host !== writer) void scheduler.perform(host, { kind: 'hint', effect: onChange });
    }
    return true;
  }
  function take(host: Host): void {
    holder = host;
  }
  function free(host: Host): void {
    if (holder === host) holder = undefined;
  }
  return {
    history,
    get record() {
      return history.at(-1);
    },
    get lockHolder() {
      return holder;
    },
    freeLock: free,
    openStore: (host, scheduler, hints) => ({
      read: () =>
        scheduler.perform(host, {
          kind: 'read',
          effect: () => (history.length === 0 ? undefined : copied(history.at(-1)!)),
        }),
      write: (_account, record, expected) =>
        scheduler.perform(host, { kind: 'write', effect: () => write(host, record, expected) }),
      async runExclusive(_account, task, signal) {
        const isReady = (): boolean => holder === undefined;
        await scheduler.perform(host, { kind: 'lock', effect: () => take(host), isReady, signal });
        try {
          return await task(neverLost);
        } finally {
          await scheduler.perform(host, { kind: 'unlock', effect: () => free(host) });
        }
      },
      subscribe(_account, onChange) {
        const follower = { host, scheduler, onChange };
        if (hints) followers.add(follower);
        return () => void followers.delete(follower);
      },
    }),
  };
}
