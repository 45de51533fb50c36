import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from '@jest/globals';
import { createTokenSource, type TokenSource } from '@unexpired/core';
import { createAuthorizationServer, type AuthorizationServer, type Rotation } from '@unexpired/testing';
import { describeRedis } from './redis-server.ts';
import { openScene, TIMES, type Scene } from './scene.ts';

const LEASE_MS = 3000;

let scene: Scene;
let server: AuthorizationServer;
let child: ChildProcess | undefined;
let source: TokenSource | undefined;

afterEach(async () => {
  child?.kill('SIGKILL');
  await source?.close();
  await server.close();
  await scene.close();
});

/** A child that is halted at the point of its refresh, with a credential whose access token has expired. */
async function haltAt(point: 'claimed' | 'answered', rotation: Rotation): Promise<ChildProcess> {
  scene = await openScene({ times: { ...TIMES, leaseMs: LEASE_MS } });
  server = await createAuthorizationServer({ rotation });
  source = createTokenSource({
    origins: ['https://api.example.com'],
    store: scene.other,
    refresh: ({ refreshToken = '', signal }) =>
      fetch(server.tokenEndpoint, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'refresh_token',
          refresh_token: refreshToken,
          client_id: 'cli',
        }),
        signal,
      }),
  });
  await source.signIn({ ...(await server.signIn()), expires_in: 0 });
  const order = { url: scene.server.url, tokenEndpoint: server.tokenEndpoint, point, leaseMs: LEASE_MS };
  child = fork(fileURLToPath(new URL('holder.ts', import.meta.url)), [JSON.stringify(order)], {
    execArgv: ['--conditions=@unexpired/source'],
  });
  expect(await once(child, 'message')).toEqual([point, undefined]);
  child.kill('SIGSTOP');
  return child;
}

/** Lets the child go on, and returns what became of its refresh. */
async function goOn(halted: ChildProcess): Promise<{ outcome?: string; token?: string }> {
  halted.send('go on');
  halted.kill('SIGCONT');
  const [told] = (await once(halted, 'message')) as [{ outcome?: string; token?: string }];
  return told;
}

function presented(): (number | undefined)[] {
  return server.presentations.map(({ generation }) => generation);
}

describeRedis('a holder that was halted for longer than its lease', () => {
  test('before it sends, spends nothing, and adopts what another got meanwhile', async () => {
    const halted = await haltAt('claimed', 'strict');
    const token = await source!.getAccessToken();

    const { token: adopted } = await goOn(halted);

    expect(adopted).toBe(token);
    expect(presented()).toEqual([1]);
    expect(server.reuses).toEqual([]);
    expect(server.isAccessTokenValid(token)).toBe(true);
  });

  test('before it commits, does not replace the pair that was issued later', async () => {
    const halted = await haltAt('answered', 'latest-wins');
    const token = await source!.getAccessToken();
    const stored = await scene.other.read('default');
    expect(presented()).toEqual([1, 1]);

    const { token: adopted } = await goOn(halted);

    expect(adopted).toBe(token);
    expect(await scene.other.read('default')).toEqual(stored);
    expect(server.isAccessTokenValid(token)).toBe(true);
  });

  test('before it commits, does not replace a newer generation', async () => {
    const halted = await haltAt('answered', 'latest-wins');
    await source!.getAccessToken();
    const sent = (await source!.authorize({ url: 'https://api.example.com', method: 'GET' }))!;
    const refusal = { url: 'https://api.example.com', status: 401, header: () => undefined };
    await source!.reauthorize(sent, refusal, { replayable: true });
    const stored = await scene.other.read('default');
    expect(stored?.generation).toBe(3);

    await goOn(halted);

    expect(await scene.other.read('default')).toEqual(stored);
  });

  test('and found nobody in its place, commits what it got', async () => {
    const halted = await haltAt('answered', 'strict');
    while ((await scene.command('EXISTS', 'app:{default}:lease')) === 1) await scene.command('PING');

    const { token } = await goOn(halted);

    expect(await source!.getAccessToken()).toBe(token);
    expect(presented()).toEqual([1]);
    expect(server.isAccessTokenValid(token!)).toBe(true);
  });
});
