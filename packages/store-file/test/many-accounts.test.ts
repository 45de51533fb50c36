import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { CredentialRecord } from '@unexpired/core';
import { createAuthorizationServer } from '@unexpired/testing';
import { openFileStore } from '../src/file-store.ts';
import { afterwards, createPlace, createSource, recordOf } from './place.ts';

const ACCOUNTS = Array.from({ length: 50 }, (_, i) => `user-${i}`);

test('50 accounts of one file are refreshed side by side, each once, and each keeps its own tokens', async () => {
  const path = join(await createPlace(), 'credentials.json');
  const server = await createAuthorizationServer({ rotation: 'strict' });
  afterwards(() => server.close());
  const accounts: Record<string, CredentialRecord> = {};
  for (const account of ACCOUNTS) {
    accounts[account] = recordOf(1, {
      tokens: await server.signIn({ account }),
      issuedAt: Date.now() - 7_200_000,
      lifetimeMs: 3_600_000,
    });
  }
  await writeFile(path, JSON.stringify({ version: 1, accounts }));
  const store = openFileStore(path);
  const sources = ACCOUNTS.map((account) => createSource(store, server, { account }));

  const taken = await Promise.all(
    sources.flatMap((source) => [source.getAccessToken(), source.getAccessToken()]),
  );
  await Promise.all(sources.map((source) => source.flush()));

  expect(new Set(taken).size).toBe(50);
  expect(taken.every((token) => server.isAccessTokenValid(token))).toBe(true);
  expect(new Set(server.presentations.map(({ refreshToken }) => refreshToken)).size).toBe(50);
  expect(server.presentations).toHaveLength(50);
  const stored = JSON.parse(await readFile(path, 'utf8')) as { accounts: Record<string, CredentialRecord> };
  for (const { presentation, issued } of server.exchanges) {
    expect(stored.accounts[presentation!.account!]).toMatchObject({ generation: 2, tokens: issued });
    expect(stored.accounts[presentation!.account!]).not.toHaveProperty('claim');
  }
});
