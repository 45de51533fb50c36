import type { CredentialRecord } from '@unexpired/core';
import { createChangeHints } from './change-hints.ts';
import type { CredentialsFile } from './credentials-file.ts';
import { entryOf } from './credentials.ts';

/** Hints for the accounts whose records changed, and for no others: one file holds many. */
export interface AccountHints {
  /** Returns what ends it. */
  listen(account: string, onChange: () => void): () => void;
  /** This process read the record: where that is not what was seen last, whatever is found next is news. */
  read(account: string, record: CredentialRecord | undefined): void;
  /** This process wrote the record: no news to it. */
  written(account: string, record: CredentialRecord): void;
  /** Watches again where that failed or ended. */
  renew(): void;
}

interface Followed {
  readonly listeners: Set<{ readonly onChange: () => void }>;
  /** What was there when it was last looked at or written; undefined: not known. */
  seen: string | undefined;
}

/** Tells one state of an entry from another. */
function markOf(entry: unknown): string {
  const { epoch, revision, generation } = (entry ?? {}) as Partial<CredentialRecord>;
  return JSON.stringify([typeof entry, epoch, revision, generation]);
}

export function createAccountHints(path: string, file: CredentialsFile): AccountHints {
  const accounts = new Map<string, Followed>();
  const hints = createChangeHints(path);
  let stopListening: (() => void) | undefined;

  async function look(): Promise<void> {
    const credentials = await file.read();
    for (const [account, followed] of accounts) {
      const mark = markOf(entryOf(credentials, account));
      if (mark === followed.seen) continue;
      followed.seen = mark;
      for (const { onChange } of followed.listeners) onChange();
    }
  }

  // What cannot be read is found by those who need it.
  const onChange = (): void => void look().catch(() => undefined);

  return {
    renew: () => hints.renew(),
    read(account, record) {
      const followed = accounts.get(account);
      if (followed !== undefined && followed.seen !== markOf(record)) followed.seen = undefined;
    },
    written(account, record) {
      const followed = accounts.get(account);
      if (followed !== undefined) followed.seen = markOf(record);
    },
    listen(account, listener) {
      const followed = accounts.get(account) ?? { listeners: new Set(), seen: undefined };
      const entry = { onChange: listener };
      accounts.set(account, followed);
      followed.listeners.add(entry);
      stopListening ??= hints.listen(onChange);
      return () => {
        followed.listeners.delete(entry);
        if (followed.listeners.size === 0 && accounts.get(account) === followed) accounts.delete(account);
        if (accounts.size > 0) return;
        stopListening?.();
        stopListening = undefined;
      };
    },
  };
}
