import { readFile, rm, writeFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import type { TokenSource, TokenStore } from '@unexpired/core';
import { refreshTokenGrant } from '@unexpired/oauth';
import { createFileStore } from '@unexpired/store-file';
import { API, expired, openFile, refuse } from './one-file.ts';

async function authorizationOf(source: TokenSource): Promise<string | undefined> {
  return (await source.authorize({ url: API, method: 'GET' }))?.headers['authorization'];
}

test('a dead grant leaves the tokens in the file; a fallback stands in until another process signs in', async () => {
  const { server, createSource, race, stored, told } = await openFile();
  const tokens = await expired(server);
  const source = createSource({ tokens, fallback: 'static-key' });
  server.revokeGrant(tokens.refresh_token);

  await expect(source.getAccessToken()).rejects.toMatchObject({ code: 'ERR_REAUTHENTICATION_REQUIRED' });
  const { access_token, refresh_token } = tokens;
  expect(await stored()).toMatchObject({ generation: 1, tokens: { access_token, refresh_token } });
  expect((await stored())?.claim).toBeUndefined();
  expect(await authorizationOf(source)).toBe('Bearer static-key');
  expect(await authorizationOf(source)).toBe('Bearer static-key');
  expect(server.presentations).toHaveLength(1);

  const adopted = told('adopted');
  const given = await server.signIn();
  await race({ tokens: given });
  await adopted;
  expect(await authorizationOf(source)).toBe(`Bearer ${given.access_token}`);
  expect(server.presentations).toHaveLength(1);
});

test('a file that somebody broke is left as it is: the access token that memory has is used to its end', async () => {
  const { path, server, createSource } = await openFile();
  const source = createSource();
  const given = await server.signIn();
  await source.signIn(given);
  const whole = await readFile(path, 'utf8');
  await writeFile(path, whole.slice(0, 100));

  expect(await source.getAccessToken()).toBe(given.access_token);
  expect(await refuse(source)).toBe(false);
  expect(source.status().durability).toBe('unreadable');
  expect(await readFile(path, 'utf8')).toBe(whole.slice(0, 100));
  expect(server.presentations).toEqual([]);

  await writeFile(path, whole);
  expect(await refuse(source)).toBe(true);
  expect(source.status().durability).toBe('clean');
});

test('a file that is deleted for good is a sign-out: what memory has is used to its end, and nothing is brought back', async () => {
  const { path, server, createSource, told } = await openFile();
  const source = createSource();
  const given = await server.signIn();
  await source.signIn(given);
  const noticed = told('signed-out');
  await rm(path);

  expect(await noticed).toMatchObject({ reason: 'vanished' });
  expect(await source.getAccessToken()).toBe(given.access_token);
  expect(await refuse(source)).toBe(false);
  await expect(source.getAccessToken()).rejects.toMatchObject({ code: 'ERR_REAUTHENTICATION_REQUIRED' });
  await source.flush();
  await expect(readFile(path)).rejects.toMatchObject({ code: 'ENOENT' });
  expect(server.presentations).toEqual([]);
});

test('a file that is deleted during the exchange is a sign-out, and stays deleted', async () => {
  const { path, server, createSource } = await openFile();
  const source = createSource({ tokens: await expired(server) });
  server.next({ hold: 'answer' });
  const taking = source.getAccessToken().catch(() => undefined);
  await server.requestArrived();
  await rm(path);
  server.release();

  await taking;
  await source.flush();
  expect(source.status().health).toBe('signed-out');
  await expect(readFile(path)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('the credential of another client in the file is an error before anything is sent, and stays', async () => {
  const { path, server, createSource } = await openFile();
  const refreshOf = (clientId: string) =>
    refreshTokenGrant({ tokenEndpoint: server.tokenEndpoint, clientId });
  const theirs = createSource({ refresh: refreshOf('theirs') });
  await theirs.signIn(await expired(server));
  await theirs.close();
  const before = await readFile(path, 'utf8');

  const ours = createSource({ refresh: refreshOf('ours') });
  await expect(ours.getAccessToken()).rejects.toMatchObject({ code: 'ERR_ACCOUNT_MISMATCH' });
  expect(server.exchanges).toEqual([]);
  expect(await readFile(path, 'utf8')).toBe(before);
});

test('a refresh function that waits for its own source is an error, and the lock is free for other processes', async () => {
  const { server, createSource, race } = await openFile();
  const source: TokenSource = createSource({
    tokens: await expired(server),
    refresh: async () => ({ access_token: await source.getAccessToken() }),
  });

  await expect(source.getAccessToken()).rejects.toMatchObject({ code: 'ERR_MISCONFIGURED' });

  const { processes } = await race({ tokens: null });
  const { accessToken } = await processes[0]!.getAccessToken();
  expect(server.isAccessTokenValid(accessToken)).toBe(true);
});

test('a store that waits for its own source under the lock is told, and goes on', async () => {
  const { path, server, createSource } = await openFile();
  const file = createFileStore({ path });
  const told: unknown[] = [];
  const store: TokenStore = {
    ...file,
    async write(account, record, expected) {
      const asked: Promise<unknown> = source.getAccessToken().catch(({ code }: { code: string }) => code);
      if (record.claim !== undefined) told.push(await asked);
      return file.write(account, record, expected);
    },
  };
  const source: TokenSource = createSource({ tokens: await expired(server), store });

  expect(server.isAccessTokenValid(await source.getAccessToken())).toBe(true);
  expect(told).toEqual(['ERR_MISCONFIGURED']);
});
