import { setTimeout as delay } from 'node:timers/promises';
import { listenWith, type RedisSubscriber } from './redis-client.ts';

/** Is told each message, and undefined once the channel is listened to: what came before that was missed. */
export type Listener = (message: string | undefined) => void;

/** Follows a topic; what it returns ends that, and may be called twice. */
export type Follow = (topic: string, listener: Listener) => () => void;

/** A hint without spaces, of a topic. */
export function hintOf(topic: string, message: string): string {
  return `${topic} ${message}`;
}

interface Channel {
  readonly follow: Follow;
  readonly hear: (hint: string) => void;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;

/**
 * A channel that is listened to once somebody follows it, and from then on: the clients subscribe again by themselves
 * when a connection broke, but not where the first attempt failed.
 */
function openChannel(subscribe: () => Promise<unknown>): Channel {
  const topics = new Map<string, Set<Listener>>();
  let isAsked = false;

  const listen = async (): Promise<void> => {
    isAsked = true;
    for (let pauseMs = FIRST_PAUSE_MS; topics.size > 0; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        await subscribe();
        for (const listeners of topics.values()) for (const listener of listeners) listener(undefined);
        return;
      } catch {
        // Hints are never relied on: whoever waits for one also looks by itself.
        await delay(pauseMs, undefined, { ref: false });
      }
    }
    isAsked = false;
  };

  return {
    follow(topic, listener) {
      const own: Listener = (message) => listener(message);
      const listeners = topics.get(topic) ?? new Set();
      topics.set(topic, listeners.add(own));
      if (!isAsked) void listen();
      return () => {
        if (listeners.delete(own) && listeners.size === 0) topics.delete(topic);
      };
    },
    hear(hint) {
      const end = hint.lastIndexOf(' ');
      for (const listener of topics.get(hint.slice(0, end)) ?? []) listener(hint.slice(end + 1));
    },
  };
}

function openChannels(subscriber: RedisSubscriber): (name: string) => Channel {
  const channels = new Map<string, Channel>();
  const subscribe = listenWith(subscriber, (name, hint) => channels.get(name)?.hear(hint));
  return (name) => {
    const channel = channels.get(name) ?? openChannel(() => subscribe(name));
    channels.set(name, channel);
    return channel;
  };
}

/** Stores over one client share what it listens to. */
const listening = new WeakMap<RedisSubscriber, (name: string) => Channel>();

/** Topics of one channel of all accounts: a channel for each would cost some clients more than their tokens. */
export function followWith(subscriber: RedisSubscriber, name: string): Follow {
  const channelOf = listening.get(subscriber) ?? openChannels(subscriber);
  listening.set(subscriber, channelOf);
  return channelOf(name).follow;
}
