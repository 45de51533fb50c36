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
  subscribe(channel: string, listener: (message: string, channel: string) => void): Promise<unknown>;
  unsubscribe(channel: string, listener: (message: string, channel: string) => void): Promise<unknown>;
  sUnsubscribe(...call: never[]): Promise<unknown>;
}

/** A second client of `ioredis` 5 or later, for the messages alone. */
export interface IoRedisSubscriber {
  subscribe(channel: string): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
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

/** Follows a channel. What it returns ends that. */
export type Follow = (channel: string, onMessage: () => void) => () => void;

function ignored(call: Promise<unknown>): void {
  // Hints are never relied on: whoever waits for one also looks by itself.
  call.catch(() => undefined);
}

function followNodeRedis(subscriber: NodeRedisSubscriber): Follow {
  return (channel, onMessage) => {
    const listener = (): void => onMessage();
    ignored(subscriber.subscribe(channel, listener));
    return () => ignored(subscriber.unsubscribe(channel, listener));
  };
}

/** ioredis has one listener for all channels, and a channel is left by all at once. */
function followIoRedis(subscriber: IoRedisSubscriber): Follow {
  const followers = new Map<string, Set<() => void>>();
  subscriber.on('message', (channel) => {
    for (const follower of followers.get(channel) ?? []) follower();
  });
  return (channel, onMessage) => {
    const follower = (): void => onMessage();
    const all = followers.get(channel) ?? new Set();
    if (all.size === 0) {
      followers.set(channel, all);
      ignored(subscriber.subscribe(channel));
    }
    all.add(follower);
    return () => {
      if (!all.delete(follower) || all.size > 0) return;
      followers.delete(channel);
      ignored(subscriber.unsubscribe(channel));
    };
  };
}

/** Messages by either client; without one there are none. */
export function followWith(subscriber: RedisSubscriber | undefined): Follow {
  if (subscriber === undefined) return () => () => undefined;
  if (!has(subscriber, 'subscribe', 'unsubscribe', 'on'))
    throw invalidOption('subscriber', CLIENT, subscriber);
  // Only `redis` has method names in camel case.
  return has(subscriber, 'sUnsubscribe')
    ? followNodeRedis(subscriber as NodeRedisSubscriber)
    : followIoRedis(subscriber as IoRedisSubscriber);
}
