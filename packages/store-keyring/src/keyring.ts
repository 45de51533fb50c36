import { AccessTokenError } from '@unexpired/core';
import type { AsyncEntry } from '@napi-rs/keyring';
import type { NativeEntries } from './native-entries.ts';

/** The keyring of this user, for one service. */
export interface Keyring {
  get(user: string): Promise<string | undefined>;
  set(user: string, secret: string): Promise<void>;
  remove(user: string): Promise<void>;
}

const TOLD_LENGTH = 200;

/** By what its error says. */
export function isLocked(said: string): boolean {
  return /prompt|\blocked\b/i.test(said);
}

function adviceFor(said: string): string {
  if (isLocked(said)) return 'It is locked: unlock it and try again.';
  if (process.platform !== 'linux') return 'Unlock it and allow this program to use it.';
  return (
    'A Secret Service (GNOME Keyring, KWallet, KeePassXC) must run in the D-Bus session of this user, ' +
    'which DBUS_SESSION_BUS_ADDRESS names.'
  );
}

export function keyringError(why: string): AccessTokenError {
  return new AccessTokenError(
    'ERR_STORE_FAILED',
    `The keyring of this user could not be used: ${why} ` +
      'Where there is no keyring, as on servers, use @unexpired/store-file.',
  );
}

function refusal(error: unknown): AccessTokenError {
  const said = String((error as Error | undefined)?.message).slice(0, TOLD_LENGTH);
  return keyringError(`${said.replace(/[.\s]*$/, '.')} ${adviceFor(said)}`);
}

export function openKeyring(service: string): Keyring {
  let entries: NativeEntries | undefined;

  /** Later than at start: where there is no native build a call is rejected. */
  async function load(): Promise<NativeEntries> {
    const { createNativeEntries } = await import('./native-entries.ts');
    return createNativeEntries(service);
  }

  async function use<T>(user: string, call: (entry: AsyncEntry) => Promise<T>): Promise<T> {
    try {
      entries ??= await load();
      return await entries.use(user, call);
    } catch (error) {
      throw refusal(error);
    }
  }

  return {
    get: (user) => use(user, async (entry) => (await entry.getPassword()) ?? undefined),
    set: (user, secret) => use(user, (entry) => entry.setPassword(secret)),
    remove: (user) => use(user, async (entry) => void (await entry.deleteCredential())),
  };
}
