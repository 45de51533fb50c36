import { randomUUID } from 'node:crypto';
import { utimes, writeFile } from 'node:fs/promises';
import type { CredentialRecord } from '@unexpired/core';
import { createFileLock, type FileLock } from '@unexpired/store-file';
import { openEntries, type Entries } from './entries.ts';
import { keyringError, type Keyring } from './keyring.ts';
import type { Place } from './place.ts';

/** The records of all processes of a user: what a token store reads and writes. */
export interface SharedKeyring {
  read(account: string): Promise<unknown>;
  /** Compare and set. */
  write(
    account: string,
    record: CredentialRecord,
    expected: number | undefined | 'replace',
  ): Promise<boolean>;
}

/**
 * Windows keeps 2560 bytes in an entry, of text in UTF-16. Others keep megabytes; nobody says how many.
 */
const ENTRY_LIMIT = process.platform === 'win32' ? 1200 : 60_000;

const patient = new AbortController().signal;

/** A keyring is believed once it gave back what it was given. */
async function tryOut(keyring: Keyring): Promise<void> {
  const user = 'unexpired-probe';
  const secret = randomUUID();
  await keyring.set(user, secret);
  const found = await keyring.get(user);
  await keyring.remove(user);
  if (found !== secret) throw keyringError('it did not give back what was stored in it.');
}

async function touch(path: string): Promise<void> {
  try {
    const now = new Date();
    await writeFile(path, '', { mode: 0o600, flag: 'a' });
    await utimes(path, now, now);
  } catch {
    // Others find out when they read.
  }
}

/** A record that is damaged has no revision, and is not nothing. */
function hasRevision(stored: unknown, expected: number | undefined): boolean {
  if (stored === undefined) return expected === undefined;
  return expected !== undefined && (stored as { revision?: unknown } | null)?.revision === expected;
}

async function replace(entries: Entries, account: string, record: CredentialRecord): Promise<void> {
  await entries.keepAside(account);
  await entries.write(account, record);
}

export function openSharedKeyring(
  keyring: Keyring,
  place: Place,
  limit: number = ENTRY_LIMIT,
): SharedKeyring {
  const entries = openEntries(keyring, limit);
  const lock: FileLock = createFileLock({ path: place.writeLock, keepAlive: true });
  let trying: Promise<void> | undefined;

  async function trust(): Promise<void> {
    trying ??= lock.runExclusive('probe', () => tryOut(keyring), patient);
    try {
      await trying;
    } catch (error) {
      trying = undefined;
      throw error;
    }
  }

  return {
    async read(account) {
      await trust();
      return entries.read(account);
    },
    async write(account, record, expected) {
      await trust();
      const compareAndSet = async (): Promise<boolean> => {
        if (expected === 'replace') {
          await replace(entries, account, record);
        } else {
          if (!hasRevision(await entries.read(account), expected)) return false;
          await entries.write(account, record);
        }
        await touch(place.changed);
        return true;
      };
      // Keys beside that of the probe.
      return lock.runExclusive(`account ${account}`, compareAndSet, patient);
    },
  };
}
