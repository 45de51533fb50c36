import type { TokenStore } from '@unexpired/core';
import type { RedisClient, RedisSubscriber } from '@unexpired/store-redis';
import { openRedisStore, type Times } from '../src/redis-store.ts';
import { connectWith, type Clients } from './clients.ts';
import { startRedis, type RedisServer } from './redis-server.ts';
import { startProxy, type TcpProxy } from './tcp-proxy.ts';

/** Room for a machine that halts now and then. */
export const TIMES: Times = { leaseMs: 60_000, commandMs: 10_000 };

/** For what ends only when the time is up. */
export const HASTY: Times = { leaseMs: 60_000, commandMs: 1500 };

export type ClientName = 'redis' | 'ioredis';

/** A store over a proxy before a Redis of its own. */
export interface Scene {
  readonly server: RedisServer;
  readonly proxy: TcpProxy;
  readonly client: RedisClient;
  readonly subscriber: RedisSubscriber;
  readonly store: TokenStore;
  /** Another process' store, with a connection of its own that no proxy breaks. */
  readonly other: TokenStore;
  /** Any command, over the connection that no proxy breaks. */
  readonly command: Clients['command'];
  readonly close: () => Promise<void>;
}

export interface SceneOptions {
  readonly name?: ClientName;
  readonly times?: Times;
  readonly settings?: readonly string[];
}

export async function openScene({
  name = 'ioredis',
  times = TIMES,
  settings = [],
}: SceneOptions = {}): Promise<Scene> {
  const server = await startRedis(...settings);
  const proxy = await startProxy(server.port);
  const near = await connectWith[name](proxy.url);
  const far = await connectWith[name](server.url);
  const open = ({ client, subscriber }: Clients): TokenStore =>
    openRedisStore({ client, subscriber, prefix: 'app:' }, times);
  return {
    server,
    proxy,
    client: near.client,
    subscriber: near.subscriber,
    store: open(near),
    other: open(far),
    command: far.command,
    async close() {
      near.close();
      far.close();
      await proxy.close();
      await server.close();
    },
  };
}

export const patient: AbortSignal = new AbortController().signal;

/** Resolves once the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
