import type { TokenStore } from '@unexpired/core';
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
