// A worker thread with a token source of its own, whose API refuses the access token that it was started with.
import { parentPort, workerData } from 'node:worker_threads';
import { createTokenSource } from '@unexpired/core';
import { createFileStore } from '../../src/index.ts';

const API = 'https://api.example.com';
const { path, tokenEndpoint, callers } = workerData as Record<'path' | 'tokenEndpoint', string> & {
  callers: number;
};
let exchanges = 0;
const source = createTokenSource({
  origins: [API],
  store: createFileStore({ path }),
  refresh: ({ refreshToken = '', signal }) => {
    exchanges += 1;
    const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken });
    return fetch(tokenEndpoint, { method: 'POST', body, signal });
  },
});

async function refused(): Promise<string | undefined> {
  const sent = await source.authorize({ url: API, method: 'GET' });
  parentPort!.postMessage('authorized');
  await told;
  const refusal = { url: API, status: 401, header: () => undefined, native: {} };
  const again = await source.reauthorize(sent!, refusal, { replayable: true });
  if (again !== undefined) source.settled(again, 200);
  return again?.headers['authorization'];
}

const told = new Promise((resolve) => {
  parentPort!.once('message', resolve);
});
const headers = await Promise.all(Array.from({ length: callers }, refused));
parentPort!.postMessage({ headers, exchanges });
await source.close();
