// One of the processes that share a credential: it asks for the access token for ever, and tells of each new one.
import { setTimeout as delay } from 'node:timers/promises';
import type { TokenResponse } from '@unexpired/core';
import type { LockName, Meeting } from './locks.ts';
import { connectShared, type Exchange } from './sharing.ts';

export type Told = { readonly signIn: TokenResponse } | 'go';

export type Tells =
  | 'ready'
  | { readonly accessToken: string; readonly waitedMs: number }
  | { readonly failure: string };

/** What the server's records tell processes apart by. */
export const PROCESS_HEADER = 'x-process';

const [name, meeting, tokenEndpoint, number] = process.argv.slice(2) as [LockName, string, string, string];
const tell = (message: Tells): void => void process.send!(message);

const exchange: Exchange = async (refreshToken = '') => {
  const response = await fetch(tokenEndpoint, {
    method: 'POST',
    headers: { [PROCESS_HEADER]: number },
    body: new URLSearchParams({ grant_type: 'refresh_token', client_id: 'cli', refresh_token: refreshToken }),
  });
  if (response.ok) return (await response.json()) as TokenResponse;
  throw new Error(`the token endpoint answered ${response.status}`);
};

const shared = await connectShared(name, JSON.parse(meeting) as Meeting, exchange);

async function run(): Promise<void> {
  for (let last = ''; ; await delay(5)) {
    const start = performance.now();
    const accessToken = await shared.getAccessToken();
    if (accessToken !== last) tell({ accessToken, waitedMs: performance.now() - start });
    last = accessToken;
  }
}

process.on('message', (told: Told) => {
  if (told === 'go') run().catch((error: Error) => tell({ failure: error.message }));
  else void shared.signIn(told.signIn).then(() => tell('ready'));
});
process.on('disconnect', () => process.exit());
tell('ready');
