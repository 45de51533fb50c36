import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import nodeFs from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { beforeEach, expect, test } from '@jest/globals';
import type { CredentialRecord, TokenEvent, TokenStore } from '@unexpired/core';
import { createAuthorizationServer, type AuthorizationServer } from '@unexpired/testing';
import { openFileStore } from '../src/file-store.ts';
import { afterwards, createPlace, createSource, patient, recordOf } from './place.ts';

let path: string;
let server: AuthorizationServer;

beforeEach(async () => {
  path = join(await createPlace(), 'deep', 'credentials.json');
  server = await createAuthorizationServer({ rotation: 'strict' });
  afterwards(() => server.close());
});

async function signInExpired(store: TokenStore): Promise<void> {
  const source = createSource(store, server);
  await source.signIn({ ...(await server.signIn()), expires_in: 0 });
  await source.close();
}

/** The refresh token is spent, and the answer is held back. */
async function untilHeld(): Promise<void> {
  while (server.held === 0) await setImmediate();
}

async function storedRefreshToken(): Promise<string | undefined> {
  const { accounts } = JSON.parse(await readFile(path, 'utf8')) as {
    accounts: Record<string, CredentialRecord>;
  };
  return accounts['default']?.tokens?.refresh_token;
}

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}

type FailingCall = 'open' | 'write' | 'sync' | 'rename';

/** A file system on which one call fails while `failing` is set. */
function failingFs(at: FailingCall, code: string) {
  const state = { failing: false };
  const fail = (): void => {
    if (state.failing) throw failure(code);
  };
  const fs = {
    ...nodeFs,
    async open(file: string, flags: string, mode?: number) {
      if (flags === 'wx' && at === 'open') fail();
      const handle = await nodeFs.open(file, flags, mode);
      const [write, sync] = [handle.writeFile.bind(handle), handle.sync.bind(handle)];
      if (flags === 'wx') {
        handle.writeFile = async (data: string) => {
          // What fits is written, as on a disk that fills up.
          if (at === 'write' && state.failing) await write(data.slice(0, 20));
          if (at === 'write') fail();
          await write(data);
        };
        handle.sync = async () => {
          if (at === 'sync') fail();
          await sync();
        };
      }
      return handle;
    },
    async rename(from: string, to: string) {
      if (at === 'rename') fail();
      await nodeFs.rename(from, to);
    },
  } as typeof nodeFs;
  return { fs, state };
}

const PLACES: [FailingCall, string, string][] = [
  ['open', 'ENOSPC', 'the disk is full'],
  ['write', 'ENOSPC', 'the disk is full'],
  ['sync', 'EIO', 'EIO'],
  ['rename', 'EROFS', 'read-only'],
];

test.each(PLACES)(
  'a claim that fails to %s (%s) is an error before the refresh token is sent',
  async (at, code, text) => {
    const { fs, state } = failingFs(at, code);
    const store = openFileStore(path, fs);
    await signInExpired(store);
    const before = await readFile(path, 'utf8');
    state.failing = true;
    const source = createSource(store, server);

    await expect(source.getAccessToken()).rejects.toMatchObject({
      code: 'ERR_STORE_FAILED',
      message: expect.stringContaining(text),
    });
    expect(server.presentations).toEqual([]);
    expect(await readFile(path, 'utf8')).toBe(before);
    expect((await readdir(join(path, '..'))).sort()).toEqual([
      'credentials.json',
      'credentials.json.lock',
      'credentials.json.write.lock',
    ]);
  },
);

test.each(PLACES)(
  'a commit that fails to %s (%s) is served, visible, and written later',
  async (at, code) => {
    const { fs, state } = failingFs(at, code);
    const store = openFileStore(path, fs);
    await signInExpired(store);
    server.next({ hold: 'answer' });
    const events: TokenEvent[] = [];
    const source = createSource(store, server, { onEvent: (event) => void events.push(event) });
    const taking = source.getAccessToken();
    await untilHeld();
    state.failing = true;
    server.release();
    const token = await taking;

    expect(server.isAccessTokenValid(token)).toBe(true);
    expect(source.status().durability).toBe('dirty');
    state.failing = false;
    await source.flush();
    expect(source.status().durability).toBe('clean');
    expect(await storedRefreshToken()).toBe(server.exchanges[0]?.issued?.refresh_token);
    expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(['persist-failed', 'persisted']));
  },
);

test('best effort goes on where the claim cannot be written, and says so', async () => {
  const { fs, state } = failingFs('write', 'ENOSPC');
  const store = openFileStore(path, fs);
  await signInExpired(store);
  state.failing = true;
  const events: TokenEvent[] = [];
  const source = createSource(store, server, {
    persistence: 'best-effort',
    onEvent: (event) => void events.push(event),
  });

  expect(server.isAccessTokenValid(await source.getAccessToken())).toBe(true);
  expect(events).toContainEqual(expect.objectContaining({ type: 'persist-failed', during: 'claim' }));
  expect(source.status().durability).toBe('dirty');
});

test('best effort goes on where the commit cannot be written, says so, and writes it later', async () => {
  const { fs, state } = failingFs('sync', 'EIO');
  const store = openFileStore(path, fs);
  await signInExpired(store);
  server.next({ hold: 'answer' });
  const events: TokenEvent[] = [];
  const source = createSource(store, server, {
    persistence: 'best-effort',
    onEvent: (event) => void events.push(event),
  });
  const taking = source.getAccessToken();
  await untilHeld();
  const claimed = await readFile(path, 'utf8');
  state.failing = true;
  server.release();

  expect(server.isAccessTokenValid(await taking)).toBe(true);
  expect(events).toContainEqual(expect.objectContaining({ type: 'persist-failed', during: 'commit' }));
  expect(source.status().durability).toBe('dirty');
  // The claim stays, and tells others that the refresh token may be spent.
  expect(await readFile(path, 'utf8')).toBe(claimed);
  expect(JSON.parse(claimed)).toMatchObject({ accounts: { default: { claim: { at: expect.any(Number) } } } });
  state.failing = false;
  await source.flush();
  expect(source.status().durability).toBe('clean');
  expect(await storedRefreshToken()).toBe(server.exchanges[0]?.issued?.refresh_token);
});

test.each<[string, string, () => Promise<unknown>]>([
  ['the path is a directory', 'it is a directory', () => mkdir(path)],
  ['the lock file cannot be opened', 'opened as a lock', () => mkdir(`${path}.lock`)],
  ['the write lock cannot be opened', 'opened as a lock', () => mkdir(`${path}.write.lock`)],
  ['the file is broken', 'is not valid JSON', () => writeFile(path, '{')],
  ['the file is newer', 'newer version', () => writeFile(path, '{"version":2,"accounts":{}}')],
])('where %s no refresh token is sent', async (_, message, spoil) => {
  await mkdir(join(path, '..'));
  await spoil();
  const tokens = { ...(await server.signIn()), expires_in: 0 };
  const seeded = createSource(openFileStore(path), server, { tokens });

  await expect(seeded.getAccessToken()).rejects.toMatchObject({
    code: 'ERR_STORE_FAILED',
    message: expect.stringContaining(message),
  });
  expect(server.presentations).toEqual([]);
});

test('where the directory is gone in the middle of a refresh, what the server gave is used and nobody crashes', async () => {
  const store = openFileStore(path);
  await signInExpired(store);
  server.next({ hold: 'answer' });
  const source = createSource(store, server);
  const taking = source.getAccessToken();
  await untilHeld();
  await rm(join(path, '..'), { recursive: true });
  server.release();

  expect(server.isAccessTokenValid(await taking)).toBe(true);
  await source.signIn(await server.signIn());
  expect(await storedRefreshToken()).toBeDefined();
});

test('where the lock file is removed before the refresh token is sent, it is not sent', async () => {
  let remove = false;
  const fs = {
    ...nodeFs,
    async rename(from: string, to: string) {
      await nodeFs.rename(from, to);
      if (remove) await rm(`${path}.lock`, { force: true });
    },
  } as typeof nodeFs;
  const store = openFileStore(path, fs);
  await signInExpired(store);
  remove = true;
  const source = createSource(store, server);

  await expect(source.getAccessToken()).rejects.toMatchObject({
    code: 'ERR_REFRESH_FAILED',
    message: expect.stringContaining('exclusive section was lost'),
  });
  expect(server.presentations).toEqual([]);
});

/** What happens to the lock file after it was removed, before somebody comes who needs a token. */
const MAKERS: [string, () => Promise<unknown>][] = [
  ['nobody', async () => undefined],
  ['another account', async () => openFileStore(path).runExclusive('ann', async () => undefined, patient)],
  [
    'one who gave up in its section',
    async () => {
      const leaving = new AbortController();
      const read = (file: string): Promise<Buffer> => {
        leaving.abort();
        return nodeFs.readFile(file);
      };
      const store = openFileStore(path, { ...nodeFs, readFile: read } as typeof nodeFs);
      const entering = Promise.resolve(store.runExclusive('default', async () => undefined, leaving.signal));
      await entering.catch(() => undefined);
    },
  ],
];

test.each(MAKERS)(
  'where the lock file is removed during an exchange and made by %s, a newcomer waits for its tokens',
  async (_, make) => {
    const store = openFileStore(path);
    await signInExpired(store);
    server.next({ hold: 'answer' });
    const first = createSource(store, server).getAccessToken();
    await untilHeld();
    await rm(`${path}.lock`);
    await make();
    const reading = Promise.withResolvers<void>();
    let reads = 0;
    const fs = {
      ...nodeFs,
      async readFile(file: string) {
        reads += 1;
        // The first call, the one in the section, and one while it waits there.
        if (reads === 4) reading.resolve();
        return nodeFs.readFile(file);
      },
    } as typeof nodeFs;
    const second = createSource(openFileStore(path, fs), server).getAccessToken();
    await Promise.race([reading.promise, second]);
    expect(server.presentations).toHaveLength(1);
    server.release();

    expect(await second).toBe(await first);
    expect(server.presentations).toHaveLength(1);
  },
);

test.each([
  ['an entry that cannot be removed', false],
  ['a directory that cannot be read', true],
])('%s stops no write', async (_, isUnreadable) => {
  const leftovers = ['0', '1', '2'].map((digit) => `.credentials.json.${digit.repeat(16)}.tmp`);
  await mkdir(join(path, '..', leftovers[1]!), { recursive: true });
  for (const name of [leftovers[0]!, leftovers[2]!]) await writeFile(join(path, '..', name), '');
  const store = openFileStore(
    path,
    isUnreadable
      ? ({ ...nodeFs, readdir: () => Promise.reject(failure('EACCES')) } as unknown as typeof nodeFs)
      : nodeFs,
  );

  expect(await store.write('default', recordOf(1), undefined)).toBe(true);
  const left = (await readdir(join(path, '..'))).filter((name) => name.endsWith('.tmp'));
  expect(left.sort()).toEqual(isUnreadable ? leftovers : [leftovers[1]]);
});

test.each<[FailingCall, string]>([
  ['write', 'ENOSPC'],
  ['sync', 'EIO'],
])('a copy to be kept aside that fails to %s is removed, and nothing is replaced', async (at, code) => {
  const { fs, state } = failingFs(at, code);
  await mkdir(join(path, '..'));
  await writeFile(path, '{');
  state.failing = true;

  await expect(openFileStore(path, fs).write('default', recordOf(1), 'replace')).rejects.toMatchObject({
    code: 'ERR_STORE_FAILED',
  });
  expect(await readFile(path, 'utf8')).toBe('{');
  expect((await readdir(join(path, '..'))).sort()).toEqual([
    'credentials.json',
    'credentials.json.write.lock',
  ]);
});
