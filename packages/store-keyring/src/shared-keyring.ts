import { randomUUID } from 'node:crypto';
import { utimes, writeFile } from 'node:fs/promises';
import type { CredentialRecord } from '@unexpired/core';
import { createFileLock, type FileLock, type LockedSection } from '@unexpired/store-file';
import { openEntries, type Entries } from './entries.ts';
import { keyringError, type Keyring } from './keyring.ts';
import type { Place } from './place.ts';
import { createTurns } from './turns.ts';

export interface Change {
  readonly account: string;
  readonly record: CredentialRecord;
  readonly expected: number | undefined | 'replace';
  /** Epoch ms; from then on nobody waits for it. */
  readonly until: number;
}

/** The records of all processes of a user: what a token store reads and writes. */
export interface SharedKeyring {
  read(account: string): Promise<unknown>;
  /** Compare and set. */
  write(change: Change): Promise<boolean>;
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

/** Compare and set; the caller holds the account's write lock. */
async function change(entries: Entries, { account, record, expected }: Change): Promise<boolean> {
  if (expected === 'replace') await entries.keepAside(account);
  else if (!hasRevision(await entries.read(account), expected)) return false;
  await entries.write(account, record);
  return true;
}

/** Rejects once the write lock is lost, or where the change would come too late. */
async function keepOn({ check, signal }: LockedSection, { expected, until }: Change): Promise<void> {
  await check();
  signal.throwIfAborted();
  // Others may have signed in since then; what compares does no harm late, and may hold the only tokens.
  if (expected === 'replace' && Date.now() > until)
    throw keyringError('its turn to be written came too late.');
}

export function openSharedKeyring(
  keyring: Keyring,
  place: Place,
  limit: number = ENTRY_LIMIT,
): SharedKeyring {
  const inTurn = createTurns(keyring);
  const anyTime = inTurn(async () => undefined);
  const reading = openEntries(anyTime, limit);
  const tidied = new Set<string>();
  const lock: FileLock = createFileLock({ path: place.writeLock, keepAlive: true });
  let trying: Promise<void> | undefined;

  async function trust(): Promise<void> {
    trying ??= lock.runExclusive('probe', () => tryOut(anyTime), patient);
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
      return reading.read(account);
    },
    async write(wanted) {
      await trust();
      const changeUnder = async (section: LockedSection): Promise<boolean> => {
        const entries = openEntries(
          inTurn(() => keepOn(section, wanted)),
          limit,
          tidied,
        );
        const isWritten = await change(entries, wanted);
        if (isWritten) await touch(place.changed);
        return isWritten;
      };
      // Keys beside that of the probe.
      return lock.runExclusive(`account ${wanted.account}`, changeUnder, patient);
    },
  };
}
