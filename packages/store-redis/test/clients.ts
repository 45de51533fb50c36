import { once } from 'node:events';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import type { RedisClient, RedisSubscriber } from '@unexpired/store-redis';

/** A connected client of either package, and the one for messages. */
export interface Clients {
  readonly client: RedisClient;
  readonly subscriber: RedisSubscriber;
  /** Any command, for what tests look at or break. */
  readonly command: (...words: string[]) => Promise<unknown>;
  close(): void;
}

/** Reconnects soon: what is tested is the store, not the client's patience. */
const RECONNECT_MS = 20;

const unheard = (): void => undefined;

async function connectNodeRedis(url: string): Promise<Clients> {
  const client = createClient({ url, socket: { reconnectStrategy: RECONNECT_MS } });
  const subscriber = client.duplicate();
  for (const one of [client, subscriber]) one.on('error', unheard);
  await Promise.all([client.connect(), subscriber.connect()]);
  return {
    client,
    subscriber,
    command: (...words) => client.sendCommand(words),
    close() {
      client.destroy();
      subscriber.destroy();
    },
  };
}

/** After a reconnection ioredis subscribes anew, and leaves the promise to nobody: a test may end before it settles. */
function minded(subscriber: Redis): Redis {
  const subscribe = subscriber.subscribe.bind(subscriber) as (...names: unknown[]) => Promise<unknown>;
  return Object.assign(subscriber, {
    subscribe(...names: unknown[]) {
      const subscribing = subscribe(...names);
      subscribing.catch(() => undefined);
      return subscribing;
    },
  });
}

async function connectIoRedis(url: string): Promise<Clients> {
  const client = new Redis(url, { retryStrategy: () => RECONNECT_MS, maxRetriesPerRequest: null });
  const subscriber = minded(client.duplicate());
  for (const one of [client, subscriber]) one.on('error', unheard);
  await Promise.all([once(client, 'ready'), once(subscriber, 'ready')]);
  return {
    client,
    subscriber,
    command: (word = '', ...words) => client.call(word, ...words),
    close() {
      client.disconnect();
      subscriber.disconnect();
    },
  };
}

export const connectWith: Readonly<Record<'redis' | 'ioredis', (url: string) => Promise<Clients>>> = {
  redis: connectNodeRedis,
  ioredis: connectIoRedis,
};
