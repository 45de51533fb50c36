import { listenWith, type RedisSubscriber } from './redis-client.ts';

/** Is told each message, and undefined once it is listened to: what came before that was missed. */
export type Listener = (message: string | undefined) => void;

/** Follows a channel; what it returns ends that, and may be called twice. */
export type Follow = (channel: string, listener: Listener) => () => void;

/** Hints are never relied on: whoever waits for one also looks by itself. */
const ignored = (): void => undefined;

/** One subscription for each channel that somebody follows. */
export function followWith(subscriber: RedisSubscriber): Follow {
  const channels = new Map<string, Set<Listener>>();
  const tell = (channel: string, message: string | undefined): void => {
    for (const listener of channels.get(channel) ?? []) listener(message);
  };
  const listening = listenWith(subscriber, tell);
  return (channel, listener) => {
    const own: Listener = (message) => listener(message);
    const listeners = channels.get(channel) ?? new Set();
    listeners.add(own);
    if (listeners.size === 1) {
      channels.set(channel, listeners);
      listening.subscribe(channel).then(() => tell(channel, undefined), ignored);
    }
    return () => {
      if (!listeners.delete(own) || listeners.size > 0) return;
      channels.delete(channel);
      listening.unsubscribe(channel).catch(ignored);
    };
  };
}
