import { setImmediate } from 'node:timers/promises';
import type { CredentialRecord, TokenStore } from '@unexpired/core';

/** One case of the store suite. */
export interface StoreCase {
  readonly name: string;
  /** It opens more than one store over the place. */
  readonly shared?: true;
  readonly run: (open: () => Promise<TokenStore>) => Promise<void>;
}

/** A signal that never aborts. */
export const patient: AbortSignal = new AbortController().signal;

/** A record of so many writes, as a token source makes it. */
export function recordOf(
  revision: number,
  members: Readonly<Record<string, unknown>> = {},
): CredentialRecord {
  return {
    version: 1,
    revision,
    epoch: 'e1',
    generation: 1,
    tokens: {
      access_token: `access-${revision}`,
      refresh_token: `refresh-${revision}`,
      token_type: 'Bearer',
    },
    issuedAt: 1_767_225_600_000,
    lifetimeMs: 3_600_000,
    ...members,
  };
}

/** What JSON makes of a record: the form in which any store keeps it. */
export function asJson(record: CredentialRecord | undefined): unknown {
  return record === undefined ? undefined : JSON.parse(JSON.stringify(record));
}

/** Adds one to a counter in the record, as often as it takes. */
export async function addOne(store: TokenStore, account: string): Promise<void> {
  for (;;) {
    const stored = await store.read(account);
    const revision = (stored?.revision ?? 0) + 1;
    const count = Number(stored?.['count'] ?? 0) + 1;
    if (await store.write(account, recordOf(revision, { count }), stored?.revision)) return;
  }
}

/** Runs tasks in the exclusive sections of stores, all at once, and says how many ran at the same time at most. */
export async function mostAtOnce(stores: readonly TokenStore[]): Promise<number> {
  let inside = 0;
  let most = 0;
  const task = async (): Promise<void> => {
    inside += 1;
    most = Math.max(most, inside);
    await setImmediate();
    await setImmediate();
    inside -= 1;
  };
  await Promise.all(stores.map((store) => store.runExclusive('default', task, patient)));
  return most;
}
