import { randomUUID } from 'node:crypto';
import {
  AccessTokenError,
  checkOptions,
  createKeyedMutex,
  invalidOption,
  type CredentialRecord,
  type TokenStore,
} from '@unexpired/core';
import { sendWith, type Send } from './commands.ts';
import { followWith, hintOf, type Follow } from './hints.ts';
import { channelOf, keysOf, type Keys } from './keys.ts';
import { acquireLease, type Lease } from './lease.ts';
import { runWith, type RedisClient, type RedisSubscriber } from './redis-client.ts';
import { FINGERPRINT, READ, WRITE } from './scripts.ts';

export interface RedisStoreOptions {
  /**
   * Connected by the application, which also closes it and listens to its `error` event: without a listener `redis` ends
   * the process when the connection breaks.
   */
  readonly client: RedisClient;
  /** What all keys and channels begin with; no braces. Who shares a credential uses the same one. */
  readonly prefix: string;
  /**
   * A second connected client, which this store uses only to listen to messages. With it, sign-ins, sign-outs
   * and new tokens of others are noticed at once, without it at the next refresh; who waits for a lease looks some ten
   * times a second in any case.
   */
  readonly subscriber?: RedisSubscriber | undefined;
}

function damaged(account: string): AccessTokenError {
  return new AccessTokenError(
    'ERR_STORE_FAILED',
    `What Redis holds for account '${account}' is not a record. Only a sign-in replaces it.`,
  );
}

/** Nothing is stored where both are nothing, and nowhere else. */
function isNothing(part: unknown): boolean {
  return part === undefined || part === null;
}

/** The revision that is compared is the one that counts, whatever the text says. */
function recordIn(account: string, answer: unknown): CredentialRecord | undefined {
  if (!Array.isArray(answer)) throw damaged(account);
  // Texts, or buffers where the client was told so.
  const [revision, text] = answer as readonly unknown[];
  if (isNothing(revision) && isNothing(text)) return undefined;
  try {
    const record: unknown = JSON.parse(String(text));
    const count = Number.parseFloat(String(revision));
    if (typeof record === 'object' && record !== null && Number.isFinite(count)) {
      return { ...(record as CredentialRecord), revision: count };
    }
  } catch {
    // The parser's error shows a piece of the text.
  }
  throw damaged(account);
}

function lostLease(account: string): AccessTokenError {
  return new AccessTokenError(
    'ERR_STORE_FAILED',
    `The lease of account '${account}' in Redis ran out before its refresh token was sent. Nothing was lost; try again.`,
  );
}

interface Place {
  /** Tells its own writes from those of others. */
  readonly id: string;
  readonly send: Send;
  readonly follow: Follow | undefined;
  readonly keysOf: (account: string) => Keys;
  /** What this store holds now. */
  readonly leases: Map<string, Lease>;
}

async function read({ send, keysOf }: Place, account: string): Promise<CredentialRecord | undefined> {
  const { record } = keysOf(account);
  return recordIn(account, await send({ script: READ, keys: [record] }));
}

async function write(
  { id, send, keysOf, leases }: Place,
  { account, record }: { readonly account: string; readonly record: CredentialRecord },
  expected: number | undefined | 'replace',
): Promise<boolean> {
  const keys = keysOf(account);
  // A claim is written under the lease or not at all; tokens are never refused for having taken long.
  const lease = record.claim === undefined ? undefined : leases.get(account);
  // A client may send a command again that was given up, long after: it replaces nothing but what was there before.
  const replaced = expected === 'replace' ? await send({ script: FINGERPRINT, keys: [keys.record] }) : '';
  const outcome = await send({
    script: WRITE,
    keys: [keys.record, keys.lease, keys.aside],
    values: [
      expected ?? '',
      record.revision,
      JSON.stringify(record),
      lease?.id ?? '',
      keys.channel,
      hintOf(keys.changed, id),
      String(replaced),
    ],
  });
  if (String(outcome) !== 'lost') return String(outcome) === 'written';
  lease?.lose();
  throw lostLease(account);
}

export interface Times {
  readonly leaseMs: number;
  /** No command is waited for longer. */
  readonly commandMs: number;
}

/** Whoever waits for the lease of a process that was killed gets it before core's `lockMs` (25 s) ends the waiting. */
const TIMES: Times = { leaseMs: 20_000, commandMs: 3000 };

/** The store with other times, which only tests need. */
export function openRedisStore(options: RedisStoreOptions, times: Times = TIMES): TokenStore {
  const { client, prefix, subscriber } = options;
  const place: Place = {
    id: randomUUID(),
    send: sendWith(runWith(client), times.commandMs),
    follow: subscriber && followWith(subscriber, channelOf(prefix)),
    keysOf: (account) => keysOf(prefix, account),
    leases: new Map(),
  };
  const mutex = createKeyedMutex();
  return {
    read: (account) => read(place, account),
    write: (account, record, expected) => write(place, { account, record }, expected),
    runExclusive: (account, task, signal) =>
      mutex.runExclusive(
        account,
        async () => {
          const means = { send: place.send, follow: place.follow, leaseMs: times.leaseMs };
          const lease = await acquireLease(means, place.keysOf(account), signal);
          place.leases.set(account, lease);
          try {
            return await task(lease.section);
          } finally {
            place.leases.delete(account);
            await lease.release();
          }
        },
        signal,
      ),
    subscribe: (account, onChange) =>
      place.follow?.(place.keysOf(account).changed, (writer) => {
        if (writer !== place.id) onChange();
      }),
  };
}

const PREFIX = 'a string that is not empty, without braces';
const any = (): boolean => true;

/**
 * Keeps credentials in Redis, shared by all processes and machines that use the same server and prefix. It makes no
 * connection and closes none.
 *
 * @throws TypeError that names the option, what was expected, and what came
 */
export function createRedisStore(options: RedisStoreOptions): TokenStore {
  checkOptions(options, {
    client: ['a client', any],
    prefix: [PREFIX, (value) => typeof value === 'string' && value !== '' && !/[{}]/.test(value)],
    subscriber: ['a client', any],
  });
  if (options.prefix === undefined) throw invalidOption('prefix', PREFIX, undefined);
  return openRedisStore(options);
}
