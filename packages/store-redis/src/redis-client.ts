import { invalidOption } from '@unexpired/core';

/** A connected client, pool, cluster or sentinel of `redis` 5 or later. */
export interface NodeRedisClient {
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  evalSha(...call: never[]): Promise<unknown>;
}

/** A client or cluster of `ioredis` 5 or later. */
export interface IoRedisClient {
  eval(script: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>;
  evalsha(...call: never[]): Promise<unknown>;
}

/** A second client of `redis` 5 or later, for the messages alone. */
export interface NodeRedisSubscriber {
  subscribe(channel: string, listener: (message: unknown, channel: unknown) => void): Promise<unknown>;
  pSubscribe(...call: never[]): Promise<unknown>;
}

/** A second client of `ioredis` 5 or later, for the messages alone. */
export interface IoRedisSubscriber {
  subscribe(channel: string): Promise<unknown>;
  on(event: 'message', listener: (channel: string, message: string) => void): unknown;
}

export type RedisClient = NodeRedisClient | IoRedisClient;
export type RedisSubscriber = NodeRedisSubscriber | IoRedisSubscriber;

/** Runs a script, which Redis does as one step. */
export type Run = (
  script: string,
  keys: readonly string[],
  values: readonly (string | number)[],
) => Promise<unknown>;

const CLIENT = 'a client of `redis` or `ioredis`, version 5 or later';

function has(client: unknown, ...methods: string[]): boolean {
  const members = client as Readonly<Record<string, unknown>> | null | undefined;
  return methods.every((method) => typeof members?.[method] === 'function');
}

function isIoRedis(client: RedisClient): client is IoRedisClient {
  return has(client, 'evalsha');
}

function isNodeRedis(subscriber: RedisSubscriber): subscriber is NodeRedisSubscriber {
  return has(subscriber, 'pSubscribe');
}

/** One way to run a script with either client. */
export function runWith(client: RedisClient): Run {
  if (!has(client, 'eval') || !(has(client, 'evalSha') || has(client, 'evalsha'))) {
    throw invalidOption('client', CLIENT, client);
  }
  return async (script, keys, values) => {
    const texts = values.map(String);
    if (isIoRedis(client)) return client.eval(script, keys.length, ...keys, ...texts);
    return client.eval(script, { keys: [...keys], arguments: texts });
  };
}

/** One way to listen with either client. What it returns subscribes to a channel. */
export function listenWith(
  subscriber: RedisSubscriber,
  onMessage: (channel: string, message: string) => void,
): (channel: string) => Promise<unknown> {
  if (!has(subscriber, 'subscribe', 'on')) throw invalidOption('subscriber', CLIENT, subscriber);
  if (isNodeRedis(subscriber)) {
    const listener = (message: unknown, channel: unknown): void =>
      onMessage(String(channel), String(message));
    return (channel) => subscriber.subscribe(channel, listener);
  }
  subscriber.on('message', onMessage);
  return (channel) => subscriber.subscribe(channel);
}
