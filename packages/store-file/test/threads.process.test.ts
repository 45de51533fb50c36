import { on, once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, test } from '@jest/globals';
import { createAuthorizationServer } from '@unexpired/testing';
import { createFileStore } from '../src/index.ts';
import { FLAGS, scriptAt } from './children.ts';
import { afterwards, createPlace, createSource } from './place.ts';

const CALLERS = 3;

interface Told {
  readonly headers: readonly (string | undefined)[];
  readonly exchanges: number;
}

test('worker threads of one process are holders of their own: each refresh token is presented once', async () => {
  const path = join(await createPlace(), 'credentials.json');
  const server = await createAuthorizationServer({ rotation: 'strict' });
  afterwards(() => server.close());
  const source = createSource(createFileStore({ path }), server);
  await source.signIn(await server.signIn());
  const threads = [1, 2, 3].map(() => {
    const workerData = { path, tokenEndpoint: server.tokenEndpoint, callers: CALLERS };
    const thread = new Worker(scriptAt('refuse-in-thread'), { workerData, execArgv: [...FLAGS] });
    afterwards(() => thread.terminate());
    return thread;
  });
  const authorized = threads.map(async (thread) => {
    const messages = on(thread, 'message');
    for (let count = 0; count < CALLERS; count += 1) await messages.next();
    await messages.return!();
  });
  await Promise.all(authorized);

  const told = threads.map(async (thread) => (await once(thread, 'message'))[0] as Told);
  for (const thread of threads) thread.postMessage('refused');
  const results = await Promise.all(told);

  const headers = new Set(results.flatMap((result) => result.headers));
  expect(headers.size).toBe(1);
  expect(server.isAccessTokenValid([...headers][0]!.replace('Bearer ', ''))).toBe(true);
  expect(results.reduce((sum, { exchanges }) => sum + exchanges, 0)).toBe(1);
  expect(server.presentations.map(({ generation }) => generation)).toEqual([1]);
});
