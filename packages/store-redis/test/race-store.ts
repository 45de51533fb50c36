import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { TokenStore } from '@unexpired/core';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { openRedisStore } from '../src/redis-store.ts';

export interface RaceStoreOptions {
  readonly url: string;
  readonly prefix: string;
  readonly leaseMs: number;
}

/** The store of one process of a race, which its connections do not keep alive. */
export default async function createRaceStore({
  url,
  prefix,
  leaseMs,
}: RaceStoreOptions): Promise<TokenStore> {
  const client = createClient({ url });
  const subscriber = client.duplicate();
  for (const one of [client, subscriber]) {
    one.on('error', () => undefined);
    await one.connect();
    one.unref();
  }
  return openRedisStore({ client, subscriber, prefix }, { leaseMs, commandMs: 3000 });
}

/** The same over the other client. */
export async function createIoRedisRaceStore({
  url,
  prefix,
  leaseMs,
}: RaceStoreOptions): Promise<TokenStore> {
  const client = new Redis(url);
  const subscriber = client.duplicate();
  for (const one of [client, subscriber]) one.on('error', () => undefined);
  await Promise.all([once(client, 'ready'), once(subscriber, 'ready')]);
  for (const { stream } of [client, subscriber]) (stream as Socket).unref();
  return openRedisStore({ client, subscriber, prefix }, { leaseMs, commandMs: 3000 });
}
