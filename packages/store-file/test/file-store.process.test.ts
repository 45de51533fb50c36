import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, test } from '@jest/globals';
import type { CredentialRecord, TokenStore } from '@unexpired/core';
import { createAuthorizationServer, type AuthorizationServer } from '@unexpired/testing';
import { createFileStore } from '../src/index.ts';
import { openFileStore } from '../src/file-store.ts';
import { FLAGS, scriptAt, start, type Child } from './children.ts';
import { afterwards, createPlace, createSource, patient, recordOf } from './place.ts';
import { watchRefusals } from './refusals.ts';

async function pathOfFile(): Promise<string> {
  return join(await createPlace(), 'credentials.json');
}

async function startServer(): Promise<AuthorizationServer> {
  const server = await createAuthorizationServer({ rotation: 'strict' });
  afterwards(() => server.close());
  return server;
}

async function signInExpired(store: TokenStore, server: AuthorizationServer): Promise<void> {
  const source = createSource(store, server);
  await source.signIn({ ...(await server.signIn()), expires_in: 0 });
  await source.close();
}

async function storedAt(path: string): Promise<CredentialRecord | undefined> {
  const document = JSON.parse(await readFile(path, 'utf8')) as {
    accounts: Record<string, CredentialRecord>;
  };
  return document.accounts['default'];
}

/** A process in the section of an account, whose own child outlives it until the test has ended. */
async function startHolder(path: string, account = 'default'): Promise<Child> {
  const holder = start('hold', path, account);
  const [held, child] = (await holder.line())!.split(' ');
  expect(held).toBe('held');
  afterwards(() => process.kill(Number(child), 'SIGKILL'));
  return holder;
}

test('the lock of a process that is killed is free at once, whatever it had started', async () => {
  const path = await pathOfFile();
  const holder = await startHolder(path);
  let isDead = false;
  const refused = watchRefusals();
  const entering = openFileStore(path).runExclusive('default', async () => isDead, patient);
  await Promise.race([refused(), entering]);
  isDead = true;
  await holder.kill();

  expect(await entering).toBe(true);
});

test('the lock of a process that is stopped is never taken from it', async () => {
  const path = await pathOfFile();
  const server = await startServer();
  const store = openFileStore(path);
  await signInExpired(store, server);
  const holder = await startHolder(path);
  holder.process.kill('SIGSTOP');
  const source = createSource(store, server, { limits: { lockMs: 1000 } });

  await expect(source.getAccessToken()).rejects.toMatchObject({ code: 'ERR_LOCK_TIMEOUT' });
  expect(server.presentations).toEqual([]);

  holder.process.kill('SIGCONT');
  await holder.kill();
  await expect(store.runExclusive('default', async () => 'free', patient)).resolves.toBe('free');
});

test('other accounts go on while a process that is stopped holds the lock of one', async () => {
  const path = await pathOfFile();
  const holder = await startHolder(path, 'ann');
  holder.process.kill('SIGSTOP');
  const store = openFileStore(path);

  expect(await store.write('ann', recordOf(1), undefined)).toBe(true);
  // macOS locks whole files
  if (process.platform !== 'darwin') {
    expect(await store.runExclusive('bob', async () => 'entered', patient)).toBe('entered');
  }
});

test('a worker thread is a holder of its own', async () => {
  const path = await pathOfFile();
  const store = createFileStore({ path });
  const thread = new Worker(scriptAt('hold-in-thread'), { workerData: path, execArgv: [...FLAGS] });
  afterwards(() => thread.terminate());
  expect(await once(thread, 'message')).toEqual(['held']);
  const order: string[] = [];
  const refused = watchRefusals();
  const entering = store.runExclusive('default', async () => order.push('entered'), patient);
  await Promise.race([refused(), entering]);
  order.push('left');
  thread.postMessage('leave');
  await entering;

  expect(order).toEqual(['left', 'entered']);
});

test('whenever a writer is killed the file is whole, and what it left is cleaned up', async () => {
  const path = await pathOfFile();
  const rounds = process.env['SOAK'] === '1' ? 100 : 10;
  let revision = 0;
  for (let round = 0; round < rounds; round += 1) {
    const writer = start('write', path);
    for (let writes = 0; writes <= round % 4; writes += 1) revision = Number(await writer.line());
    // At another moment of the write each time.
    for (let turn = 0; turn < round * 3; turn += 1) await new Promise(setImmediate);
    await writer.kill();
    const stored = await storedAt(path);
    expect(stored?.revision).toBeGreaterThanOrEqual(revision);
    revision = stored!.revision;
  }
  const store = openFileStore(path);
  expect(await store.write('default', recordOf(revision + 1), revision)).toBe(true);
  expect((await readdir(join(path, '..'))).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});

test('no write of four processes is lost', async () => {
  const path = await pathOfFile();
  const writers = ['a', 'b', 'a', 'b'].map((account) => start('write', path, account));
  const counts = await Promise.all(
    writers.map(async (writer) => {
      const revisions: number[] = [];
      while (revisions.length < 10) revisions.push(Number(await writer.line()));
      return revisions;
    }),
  );
  await Promise.all(writers.map((writer) => writer.kill()));
  for (const pair of [
    [0, 2],
    [1, 3],
  ]) {
    const revisions = pair.flatMap((i) => counts[i]!);
    // Each revision was written by one of the two.
    expect(new Set(revisions).size).toBe(revisions.length);
  }
});

test('a process that exits right after getAccessToken has its token on disk', async () => {
  const path = await pathOfFile();
  const server = await startServer();
  await signInExpired(openFileStore(path), server);
  const tool = start('token', path, server.tokenEndpoint, 'exit');
  const token = await tool.line();

  expect(await tool.ended).toBe(0);
  const stored = await storedAt(path);
  expect(stored?.tokens?.access_token).toBe(token);
  expect(stored?.tokens?.refresh_token).toBe(server.exchanges[0]?.issued?.refresh_token);
  expect(stored?.claim).toBeUndefined();
});

test('neither a store nor its watch keeps a process alive', async () => {
  const path = await pathOfFile();
  const server = await startServer();
  await signInExpired(openFileStore(path), server);
  const tool = start('token', path, server.tokenEndpoint);

  expect(server.isAccessTokenValid(await tool.line())).toBe(true);
  expect(await tool.ended).toBe(0);
});

test('processes that start together share one exchange', async () => {
  const path = await pathOfFile();
  const server = await startServer();
  await signInExpired(openFileStore(path), server);
  const tools = Array.from({ length: 4 }, () => start('token', path, server.tokenEndpoint));
  const taken = await Promise.all(tools.map((tool) => tool.line()));

  expect(new Set(taken).size).toBe(1);
  expect(server.presentations).toHaveLength(1);
});

test('where there is no native build a store is an error that says so', async () => {
  const path = await pathOfFile();
  const tool = start('no-build', path);

  expect(JSON.parse((await tool.line())!)).toEqual({
    name: 'AccessTokenError',
    code: 'ERR_STORE_FAILED',
    message: expect.stringMatching(/fs-native-extensions has no build for \w+-vax .* musl/),
  });
  expect(await tool.ended).toBe(0);
});
