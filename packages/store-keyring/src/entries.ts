import { AccessTokenError, type CredentialRecord } from '@unexpired/core';
import type { Keyring } from './keyring.ts';
import { nameOf } from './names.ts';
import { isParts, openParts, type Parts, type PartStore } from './parts.ts';

/**
 * What the entry of an account holds: `{ "version": 1, "record": { … } }`, or, where that is too long for one entry,
 * `{ "version": 1, "parts": { … } }`: which of two sets of entries holds the text of the record.
 */
type Entry = { readonly record: unknown } | { readonly parts: Parts };

/** Records in a keyring. Only the holder of the account's write lock may write. */
export interface Entries {
  read(account: string): Promise<unknown>;
  write(account: string, record: CredentialRecord): Promise<void>;
  /** Keeps what is there under another name. */
  keepAside(account: string): Promise<void>;
}

function unreadable(account: string, why: string): AccessTokenError {
  return new AccessTokenError(
    'ERR_STORE_FAILED',
    `The keyring's entry of account '${account}' ${why}. It is left as it is; remove it, or sign in again.`,
  );
}

/** ASCII alone: a cut falls between characters, and every keyring gives back what it was given. */
function textOf(value: unknown): string {
  const escape = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(value).replaceAll(/[^\x20-\x7E]/g, escape);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The error of JSON.parse quotes the text, which may be a token.
    return undefined;
  }
}

function entryOf(account: string, text: string): Entry {
  const entry = parsed(text) as { version?: unknown; record?: unknown; parts?: unknown } | null | undefined;
  const version = entry?.version;
  if (typeof version === 'number' && version > 1) {
    throw unreadable(account, 'was written by a newer version of this library');
  }
  if (version === 1 && entry?.record) return { record: entry.record };
  if (version === 1 && isParts(entry?.parts)) return { parts: entry.parts };
  throw unreadable(account, 'was not written by this library, or is damaged');
}

function partsIn(account: string, text: string | undefined): Parts | undefined {
  try {
    const entry = text === undefined ? undefined : entryOf(account, text);
    return entry !== undefined && 'parts' in entry ? entry.parts : undefined;
  } catch {
    // It is being replaced.
    return undefined;
  }
}

async function readEntry(keyring: Keyring, parts: PartStore, account: string): Promise<unknown> {
  const user = nameOf(account);
  let before: string | undefined;
  for (;;) {
    const text = await keyring.get(user);
    if (text === undefined) return undefined;
    const entry = entryOf(account, text);
    if ('record' in entry) return entry.record;
    const whole = await parts.join(user, entry.parts);
    if (whole !== undefined) return parsed(whole);
    // Another process may have written between the two.
    if (text === before) throw unreadable(account, 'lacks some of its parts');
    before = text;
  }
}

/** `limit` counts the characters that one entry can hold; `tidied` names the entries that have nothing left over. */
export function openEntries(keyring: Keyring, limit: number, tidied: Set<string> = new Set()): Entries {
  const parts = openParts(keyring, limit);

  /** Until it is done the entry tells of what was there before. */
  async function writeEntry(
    user: string,
    record: CredentialRecord,
    old: Parts | undefined,
  ): Promise<Parts | undefined> {
    const whole = textOf({ version: 1, record });
    if (whole.length <= limit) {
      await keyring.set(user, whole);
      return undefined;
    }
    const written = await parts.write(user, textOf(record), old?.set === 'a' ? 'b' : 'a');
    await keyring.set(user, textOf({ version: 1, parts: written }));
    return written;
  }

  return {
    read: (account) => readEntry(keyring, parts, account),

    async write(account, record) {
      const user = nameOf(account);
      const old = partsIn(account, await keyring.get(user));
      // What a process left that died is removed by the next that writes.
      const wasTidy = tidied.delete(user);
      const current = await writeEntry(user, record, old);
      try {
        if (!wasTidy || old !== undefined) await parts.keepOnly(user, current?.set);
        tidied.add(user);
      } catch {
        // It is stored, and that is what counts.
      }
    },

    async keepAside(account) {
      const user = nameOf(account);
      const text = await keyring.get(user);
      if (text === undefined) return;
      const aside = `${user} broken-${new Date().toISOString()}`;
      await parts.copy(user, aside);
      await keyring.set(aside, text);
    },
  };
}
