import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import type { AccessTokenError } from '@unexpired/core';
import { createFileStore } from '@unexpired/store-file';
import { faults, type RaceProcess } from '@unexpired/testing';
import { expired, openFile, refuse, type OneFile } from './one-file.ts';

const run = promisify(execFile);
const patient = new AbortController().signal;
/** Shorter than anybody hangs here. */
const limits = { lockMs: 1000 };

/** Signed in an hour ago, all but so many minutes. */
async function signInAgo(
  { path, server, createSource, stored }: OneFile,
  minutesLeft: number,
): Promise<void> {
  const source = createSource();
  await source.signIn(await server.signIn());
  await source.close();
  const { revision, ...record } = (await stored())!;
  const issuedAt = Date.now() - (60 - minutesLeft) * 60_000;
  const aged = { ...record, revision: revision + 1, issuedAt };
  expect(await createFileStore({ path }).write('default', aged, revision)).toBe(true);
}

/** Another process hangs with the lock of the account, in a refresh that has sent nothing yet. */
async function hangInRefresh({ race }: OneFile, account = 'default'): Promise<RaceProcess> {
  const { processes } = await race({ account, tokens: null });
  const [holder] = processes as [RaceProcess];
  const there = holder.hold('claimed');
  holder.getAccessToken().catch(() => undefined);
  await there;
  holder.pause();
  return holder;
}

function goOn(holder: RaceProcess): void {
  holder.resume();
  holder.release('claimed');
}

function generationsShown({ server }: OneFile): unknown[] {
  return server.presentations.map(({ generation }) => generation);
}

test('while another process hangs with the lock an access token that is due is used, and the contention told of', async () => {
  const file = await openFile();
  await signInAgo(file, 10);
  const due = (await file.stored())!.tokens!.access_token;
  const holder = await hangInRefresh(file);
  const source = file.createSource({ limits });
  const failed = file.told('refresh-failed');

  expect(await source.getAccessToken()).toBe(due);
  expect(source.status()).toMatchObject({ accessToken: 'due', refreshing: true });
  await failed;
  expect(file.events.map(({ type }) => type)).toContain('lock-contended');
  expect(await source.getAccessToken()).toBe(due);
  expect(generationsShown(file)).toEqual([]);

  await holder.kill();
  expect(await refuse(source)).toBe(true);
  expect(generationsShown(file)).toEqual([1]);
});

test('who gives up while another process has the lock leaves alone; the others get what that one brings', async () => {
  const file = await openFile();
  await signInAgo(file, -1);
  const holder = await hangInRefresh(file);
  const source = file.createSource();
  const reason = new Error('no patience');
  const [first, second] = [new AbortController(), new AbortController()];
  const [one, two, three] = [first, second, undefined].map((leaving) =>
    source.getAccessToken({ signal: leaving?.signal }),
  );

  first.abort(reason);
  await expect(one).rejects.toBe(reason);
  second.abort(reason);
  await expect(two).rejects.toBe(reason);
  goOn(holder);
  const { accessToken } = await holder.getAccessToken();
  expect(await three).toBe(accessToken);
  expect(generationsShown(file)).toEqual([1]);
});

test.each(['refresh_token_reused', 'invalid_grant'])(
  'a server that says %s because a program without our lock was faster signs nobody out',
  async (code) => {
    const file = await openFile();
    const { path, server, race } = file;
    await signInAgo(file, -1);
    // Where the lock file is younger than the claim, ours would wait for who may have removed the one before.
    await createFileStore({ path }).runExclusive('default', async () => undefined, patient);
    const all = await race({ tokens: null });
    const [ours] = all.processes as [RaceProcess];
    const foreign = await all.add({ unlocked: true });
    const there = foreign.hold('committing');
    const brought = foreign.getAccessToken();
    await there;
    server.next(faults.oauthError(code));
    const taking = ours.getAccessToken();
    await all.until(() => ours.points.includes('answered'));
    foreign.release('committing');

    expect((await taking).accessToken).toBe((await brought).accessToken);
    expect((await ours.refuse()).generation).toBe(3);
    expect(server.reuses).toEqual([]);
  },
);

// reason: macOS locks whole files, so that all accounts wait
(process.platform === 'darwin' ? test.skip : test)(
  'while another process hangs with the lock of one account, 50 others in the file are refreshed',
  async () => {
    const file = await openFile();
    const { server, createSource } = file;
    await createSource({ account: 'held' }).signIn(await expired(server, 'held'));
    const holder = await hangInRefresh(file, 'held');
    const held = createSource({ account: 'held', limits });
    const others = Array.from({ length: 50 }, async (_, number) => {
      const account = `account-${number}`;
      return createSource({ account, tokens: await expired(server, account) }).getAccessToken();
    });
    const failing = held.getAccessToken().catch(({ code }: AccessTokenError) => code);

    for (const token of await Promise.all(others)) expect(server.isAccessTokenValid(token)).toBe(true);
    expect(await failing).toBe('ERR_LOCK_TIMEOUT');
    expect(held.status().durability).toBe('clean');
    expect(server.presentations).toHaveLength(50);

    await holder.kill();
    expect(server.isAccessTokenValid(await held.getAccessToken())).toBe(true);
    expect(server.reuses).toEqual([]);
  },
);

interface Told {
  readonly tokens: readonly string[];
  readonly exchanges: number;
}

test('the processes of a cluster, forked from one that has used the file, share one exchange', async () => {
  const { path, server } = await openFile();
  const { refresh_token } = await server.signIn();
  const program = fileURLToPath(new URL('processes/cluster.ts', import.meta.url));
  const args = ['--conditions=@unexpired/source', program, path, server.tokenEndpoint, refresh_token];
  const results = JSON.parse((await run(process.execPath, args)).stdout) as Told[];

  expect(results).toHaveLength(4);
  const tokens = new Set(results.flatMap((result) => result.tokens));
  expect([...tokens]).toEqual([server.exchanges[0]?.issued?.access_token]);
  expect(results.reduce((sum, { exchanges }) => sum + exchanges, 0)).toBe(1);
  expect(server.presentations).toHaveLength(1);
});
