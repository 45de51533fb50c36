import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from '@jest/globals';
import {
  createTokenSource,
  type CredentialRecord,
  type TokenSource,
  type TokenSourceOptions,
  type TokenStore,
} from '@unexpired/core';
import type { AuthorizationServer } from '@unexpired/testing';

export const patient: AbortSignal = new AbortController().signal;

type Undo = () => unknown;
const undos: Undo[] = [];

/** Undone after the test, the last first. */
export function afterwards(undo: Undo): void {
  undos.push(undo);
}

afterEach(async () => {
  for (const undo of undos.splice(0).reverse()) await undo();
});

/** A directory of this test's own. */
export async function createPlace(): Promise<string> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'unexpired-file-')));
  afterwards(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

export function recordOf(revision: number, members: Partial<CredentialRecord> = {}): CredentialRecord {
  return {
    version: 1,
    revision,
    epoch: 'e1',
    generation: 1,
    tokens: { access_token: `access-${revision}`, refresh_token: `refresh-${revision}` },
    ...members,
  };
}

/** A token source over the store, closed after the test. */
export function createSource(
  store: TokenStore,
  server: AuthorizationServer,
  options: Partial<TokenSourceOptions> = {},
): TokenSource {
  const source = createTokenSource({
    origins: ['https://api.example.com'],
    refresh: ({ refreshToken = '', signal }) =>
      fetch(server.tokenEndpoint, {
        method: 'POST',
        body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken }),
        signal,
      }),
    store,
    ...options,
  });
  afterwards(() => source.close().catch(() => undefined));
  return source;
}
