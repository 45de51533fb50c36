import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { afterEach } from '@jest/globals';
import { createTokenSource, type CredentialRecord, type TokenSource, type TokenStore } from '@unexpired/core';
import type { AuthorizationServer } from '@unexpired/testing';
import type { HelperTimes } from '../src/helper-child.ts';
import { openKeyringStore } from '../src/keyring-store.ts';
import { startKeyring, type KeyringSession } from './keyring-session.ts';

/** For Node to run sources. */
export const FLAGS: readonly string[] = ['--conditions=@unexpired/source', '--no-warnings'];

/** The starting of a helper takes long on a loaded machine. */
const PATIENT: HelperTimes = { callMs: 30_000, promptMs: 60_000, idleMs: 60_000 };

const { env: outside } = process;
const undos: (() => unknown)[] = [];

/** Undone after the test, the last first. */
export function afterwards(undo: () => unknown): void {
  undos.push(undo);
}

afterEach(async () => {
  for (const undo of undos.splice(0).reverse()) await undo();
});

/** A session of this test's own, for this process too. */
export async function enterSession(options?: { daemon?: boolean }): Promise<KeyringSession> {
  const session = await startKeyring(options);
  afterwards(() => session.close());
  process.env = { ...session.env };
  afterwards(() => {
    process.env = outside;
  });
  return session;
}

export function openStore({ directory }: KeyringSession, times: Partial<HelperTimes> = {}): TokenStore {
  return openKeyringStore({ service: 'test', directory }, { ...PATIENT, ...times });
}

export function recordOf(revision: number, members: Partial<CredentialRecord> = {}): CredentialRecord {
  return { version: 1, revision, epoch: 'e1', generation: 1, ...members };
}

/** What the call gives once it is no error. */
export async function eventually<T>(call: () => T | Promise<T>, tries = 1000): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (tries === 0) throw error;
    await setTimeout(20);
    return eventually(call, tries - 1);
  }
}

export function createSource(store: TokenStore, server: AuthorizationServer): TokenSource {
  const source = createTokenSource({
    origins: ['https://api.example.com'],
    refresh: ({ refreshToken = '', signal }) =>
      fetch(server.tokenEndpoint, {
        method: 'POST',
        body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken }),
        signal,
      }),
    store,
  });
  afterwards(() => source.close().catch(() => undefined));
  return source;
}

/** A source whose access token has expired; its store's helper runs. */
export async function signInExpired(store: TokenStore, server: AuthorizationServer): Promise<TokenSource> {
  await eventually(() => store.read('default'));
  const source = createSource(store, server);
  await source.signIn({ ...(await server.signIn()), expires_in: 0 });
  return source;
}

/** The helper processes of stores of the session. */
export function helpersOf({ directory }: KeyringSession): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const isOurs = (pid: string): boolean => {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      return line.includes('helper-process') && line.includes(directory);
    } catch {
      return false;
    }
  };
  return pids.filter(isOurs).map(Number);
}

/** Halts the process until the test is over. */
export function halt(pid: number): void {
  process.kill(pid, 'SIGSTOP');
  afterwards(() => process.kill(pid, 'SIGCONT'));
}
