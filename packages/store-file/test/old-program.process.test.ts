import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import type { CredentialRecord, TokenSource } from '@unexpired/core';
import { createAuthorizationServer, type AuthorizationServer } from '@unexpired/testing';
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
      expect(await old.line()).toBe('.');
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

interface OlderFile {
  readonly path: string;
  readonly server: AuthorizationServer;
  /** Has newer tokens than the older file. */
  readonly source: TokenSource;
  readonly newest: string;
  /** A process that has never seen the newer tokens; resolves with the access token that it takes, or its error. */
  readonly startOnOlder: () => Promise<string | undefined>;
}

/** A process refreshed once; before that a copy was made of the file. */
async function olderFile(rotation: 'strict' | 'grace', expiresIn: number): Promise<OlderFile> {
  const path = join(await createPlace(), 'credentials.json');
  const server = await createAuthorizationServer({ rotation });
  afterwards(() => server.close());
  const source = createSource(createFileStore({ path }), server);
  await source.signIn({ ...(await server.signIn()), expires_in: expiresIn });
  await copyFile(path, `${path}.older`);
  if (expiresIn === 0) await source.getAccessToken();
  else expect(await refreshOnce(source)).toBe(true);
  await source.flush();
  return {
    path,
    server,
    source,
    newest: server.exchanges[0]!.issued!.refresh_token!,
    startOnOlder: () =>
      start('start-on-older-file', path, server.tokenEndpoint, 'exit', `${path}.older`).line(),
  };
}

test('a process that starts on an older file uses its access token while that is valid, and spends nothing', async () => {
  const { path, server, source, newest, startOnOlder } = await olderFile('strict', 3600);

  expect(server.isAccessTokenValid(await startOnOlder())).toBe(true);
  while ((await storedRefreshToken(path)) !== newest) await setImmediate();
  expect(server.presentations).toHaveLength(1);
  expect(await refreshOnce(source)).toBe(true);
});

test('a process that starts on an older file and has to refresh ends with the newer tokens of one that runs', async () => {
  const { path, server, source, newest, startOnOlder } = await olderFile('strict', 0);

  const taken = await startOnOlder();
  // Found written back, or after a refusal; where the machine is too busy for that, the refusal is told.
  const isTold = server.reuses.length > 0 && taken?.includes('ERR_REAUTHENTICATION_REQUIRED');
  expect(isTold || taken === (await source.getAccessToken())).toBe(true);
  while ((await storedRefreshToken(path)) !== newest) await setImmediate();
  expect(server.presentations.map(({ generation }) => generation)).toEqual(
    server.reuses.length === 0 ? [1] : [1, 1],
  );
});

test('where the server tolerates a repeat, a process that starts on an older file signs nobody out', async () => {
  const { server, source, startOnOlder } = await olderFile('grace', 0);

  expect(server.isAccessTokenValid(await startOnOlder())).toBe(true);
  expect(await refreshOnce(source)).toBe(true);
  expect(server.isAccessTokenValid(await source.getAccessToken())).toBe(true);
  expect(server.reuses).toEqual([]);
});

test('where nobody has the newer tokens any more, a refusal of the older ones is told and changes no token', async () => {
  const { path, server, source, startOnOlder } = await olderFile('strict', 0);
  await source.close();
  await copyFile(`${path}.older`, path);
  const before = await storedRefreshToken(path);

  expect(JSON.parse((await startOnOlder())!)).toMatchObject({ code: 'ERR_REAUTHENTICATION_REQUIRED' });
  expect(server.reuses).toHaveLength(1);
  expect(await storedRefreshToken(path)).toBe(before);
});
