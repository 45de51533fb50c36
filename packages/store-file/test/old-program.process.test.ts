import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import type { CredentialRecord, TokenSource } from '@unexpired/core';
import { createAuthorizationServer } from '@unexpired/testing';
import { createFileStore } from '../src/index.ts';
import { start } from './children.ts';
import { afterwards, createPlace, createSource } from './place.ts';

/** A resource server refuses the access token; false where there is no other one. */
async function refreshOnce(source: TokenSource): Promise<boolean> {
  const url = 'https://api.example.com/a';
  const sent = await source.authorize({ url, method: 'GET' });
  const refusal = { url, status: 401, header: () => null };
  const replay = await source.reauthorize(sent!, refusal, { replayable: true });
  if (replay !== undefined) source.settled(replay, 200);
  return replay !== undefined;
}

async function storedRefreshToken(path: string): Promise<string | undefined> {
  try {
    const { accounts } = JSON.parse(await readFile(path, 'utf8')) as {
      accounts: Record<string, CredentialRecord>;
    };
    return accounts['default']?.tokens?.refresh_token;
  } catch {
    // Not there, or half written.
    return undefined;
  }
}

test.each(['rewrites', 'deletes'])(
  'beside a program that %s the file without a lock nothing is presented twice, and the newest tokens stay',
  async (how) => {
    const path = join(await createPlace(), 'credentials.json');
    const server = await createAuthorizationServer({ rotation: 'strict' });
    afterwards(() => server.close());
    const source = createSource(createFileStore({ path }), server);
    await source.signIn(await server.signIn());
    const stale = await readFile(path);
    const old = start('old-program', path, how);
    await old.line();
    for (let refreshed = 0; refreshed < 10;) {
      // A refusal may come while the file is gone.
      const isNew = await refreshOnce(source).catch(() => false);
      if (isNew) refreshed += 1;
      await old.line();
    }
    await old.kill();
    // Its last act: what it read long ago.
    await writeFile(path, stale);

    const newest = server.exchanges.at(-1)?.issued?.refresh_token;
    while ((await storedRefreshToken(path)) !== newest) await setImmediate();
    expect(server.reuses).toEqual([]);
    expect(server.isAccessTokenValid(await source.getAccessToken())).toBe(true);
  },
);
