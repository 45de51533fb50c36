// A process that shares a credential, and stays at a point of its refresh until it is told to go on.
import { once } from 'node:events';
import process from 'node:process';
import { createTokenSource, type TokenStore } from '@unexpired/core';
import { openRedisStore } from '../src/redis-store.ts';
import { connectWith } from './clients.ts';

const { url, tokenEndpoint, point, leaseMs } = JSON.parse(process.argv[2]!) as {
  url: string;
  tokenEndpoint: string;
  point: 'claimed' | 'answered';
  leaseMs: number;
};

async function reach(here: 'claimed' | 'answered'): Promise<void> {
  if (here !== point) return;
  process.send!(here);
  await once(process, 'message');
}

const clients = await connectWith.redis(url);
const store = openRedisStore({ client: clients.client, prefix: 'app:' }, { leaseMs, commandMs: 10_000 });
const held: TokenStore = {
  ...store,
  async write(account, record, expected) {
    const written = await store.write(account, record, expected);
    if (written && record.claim !== undefined) await reach('claimed');
    return written;
  },
};
const source = createTokenSource({
  origins: ['https://api.example.com'],
  store: held,
  limits: { waitMs: 60_000, exchangeMs: 60_000, flightMs: 60_000 },
  async refresh({ refreshToken = '' }) {
    const body = new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: refreshToken,
      client_id: 'cli',
    });
    const response = await fetch(tokenEndpoint, { method: 'POST', body });
    await reach('answered');
    return response;
  },
});
const outcome = await source.getAccessToken().catch((error: { code?: string }) => error.code);
// What was refused for the lost lease is tried again, as the next caller would.
const token = outcome?.startsWith('ERR_') ? await source.getAccessToken() : outcome;
await source.flush();
process.send!({ outcome, token });
await source.close();
clients.close();
process.disconnect();
