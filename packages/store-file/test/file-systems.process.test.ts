import { spawnSync } from 'node:child_process';
import { chmod, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from '@jest/globals';
import { createAuthorizationServer, type AuthorizationServer } from '@unexpired/testing';
import { openFileStore } from '../src/file-store.ts';
import { FLAGS, scriptAt, startCommand, type Child } from './children.ts';
import { afterwards, createPlace, createSource } from './place.ts';

let server: AuthorizationServer;

beforeEach(async () => {
  server = await createAuthorizationServer({ rotation: 'strict' });
  afterwards(() => server.close());
});

const hasMounts = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;
// reason: a container may refuse mounts, or there is no unshare
const onTmpfs = hasMounts ? test : test.skip;
const why = hasMounts ? '' : ' (nothing can be mounted here)';

/** Runs the program on a file system of its own that holds 64 KiB. */
async function onSmallDisk(when: string): Promise<Child> {
  const directory = await createPlace();
  const mounted = 'mount -t tmpfs -o size=64k,mode=700 tmpfs "$0" && exec "$@"';
  const tokens = JSON.stringify(await server.signIn());
  const program = [...FLAGS, scriptAt('full-disk'), directory, server.tokenEndpoint, tokens, when];
  return startCommand('unshare', ['-m', 'sh', '-c', mounted, directory, process.execPath, ...program]);
}

onTmpfs.each<[string, RegExp]>([
  ['full', /ENOSPC: the disk is full; free some space/],
  ['read-only', /EROFS: its file system is read-only/],
])(`a disk that is %s stops a refresh before the refresh token is sent${why}`, async (when, message) => {
  const { taken, stayed, ...outcome } = JSON.parse((await (await onSmallDisk(when)).line())!) as {
    taken: unknown;
    stayed: boolean;
  };

  expect(taken).toEqual({ code: 'ERR_STORE_FAILED', message: expect.stringMatching(message) });
  expect(stayed).toBe(true);
  expect(outcome).toMatchObject({ after: 'clean' });
  expect(server.presentations).toEqual([]);
});

onTmpfs(
  `a disk that fills up during the exchange makes the source dirty until there is space${why}`,
  async () => {
    const outcome = JSON.parse((await (await onSmallDisk('at-commit')).line())!) as { taken: string };

    expect(server.isAccessTokenValid(outcome.taken)).toBe(true);
    expect(outcome).toMatchObject({
      durability: 'dirty',
      after: 'clean',
      stored: server.exchanges[0]?.issued?.refresh_token,
    });
  },
);

/** Runs the program as a user whom modes bind. */
async function asNobody(path: string): Promise<string> {
  const options = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534, cwd: '/' } : {};
  const args = [...FLAGS, scriptAt('token'), path, server.tokenEndpoint];
  return (await startCommand(process.execPath, args, options).line())!;
}

async function signInExpired(directory: string): Promise<string> {
  const path = join(directory, 'credentials.json');
  const source = createSource(openFileStore(path), server);
  await source.signIn({ ...(await server.signIn()), expires_in: 0 });
  await source.close();
  return path;
}

// Windows has no modes
const withModes = process.platform === 'win32' ? test.skip : test;

withModes('a file that this user may not read is an error that says so', async () => {
  const directory = await createPlace();
  const path = await signInExpired(directory);
  await chmod(path, 0);
  await chmod(directory, 0o755);

  expect(JSON.parse(await asNobody(path))).toEqual({
    code: 'ERR_STORE_FAILED',
    message: expect.stringMatching(/credentials\.json could not be read \(EACCES: this user may not do that/),
  });
  expect(server.presentations).toEqual([]);
});

withModes(
  'a directory that this user may not write to stops a refresh before the token is sent',
  async () => {
    const parent = await createPlace();
    const directory = join(parent, 'deep');
    await mkdir(directory);
    const path = await signInExpired(directory);
    await chmod(path, 0o644);
    await chmod(directory, 0o555);
    await chmod(parent, 0o755);
    afterwards(() => chmod(directory, 0o755));

    expect(JSON.parse(await asNobody(path))).toEqual({
      code: 'ERR_STORE_FAILED',
      message: expect.stringMatching(
        /\.lock could not be made as a lock \(EACCES: this user may not do that/,
      ),
    });
    expect(server.presentations).toEqual([]);
    expect((await readdir(directory)).sort()).toEqual(['credentials.json', 'credentials.json.write.lock']);
  },
);
