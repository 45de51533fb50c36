import type { IncomingMessage } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { AccessTokenError, type Authorization, type TokenSource } from '@unexpired/core';
import { WebSocket } from 'ws';

export interface Subscription {
  /** Its origin, with https for wss, is one of the token source's. */
  readonly url: string;
  readonly tokens: TokenSource;
  /** What it throws ends the subscription. */
  readonly onMessage: (message: string) => void;
  /** Ends the subscription. */
  readonly signal: AbortSignal;
}

interface Connection {
  /** The answer to the handshake, 101 or a refusal; undefined where none came. */
  readonly response: IncomingMessage | undefined;
  /** Rejects with what `onMessage` threw. */
  readonly closed: Promise<void>;
}

/** A connection that lasted less than this, from the end of its handshake, counts as failed. */
const SHORT_MS = 5000;
const LONGEST_DELAY_MS = 30_000;
const OPENED = 101;
/** Refusals that another handshake may escape; other answers of 4xx are final. */
const PASSING_REFUSALS: readonly unknown[] = [401, 408, 425, 429];
/** Codes of failures that pass without anybody's help. */
const PASSING: readonly unknown[] = ['ERR_REFRESH_FAILED', 'ERR_LOCK_TIMEOUT', 'ERR_WAIT_TIMEOUT'];

async function open(subscription: Subscription, authorization: Authorization): Promise<Connection> {
  const { url, onMessage, signal } = subscription;
  signal.throwIfAborted();
  const socket = new WebSocket(url, { headers: { ...authorization.headers }, handshakeTimeout: 10_000 });
  const close = (): void => socket.close();
  signal.addEventListener('abort', close);
  // What went wrong is told by the handshake's answer, or by the close that always follows.
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve, reject) => {
    socket.on('message', (data) => {
      try {
        // A Buffer, as long as `binaryType` is left alone.
        onMessage((data as Buffer).toString());
      } catch (error) {
        reject(error);
        socket.terminate();
      }
    });
    socket.once('close', () => {
      signal.removeEventListener('abort', close);
      resolve();
    });
  });
  const answered = new Promise<IncomingMessage>((resolve) => {
    socket.once('upgrade', resolve);
    socket.once('unexpected-response', (_request, refusal) => {
      resolve(refusal);
      socket.terminate();
    });
  });
  return { response: await Promise.race([answered, closed.then(() => undefined)]), closed };
}

/** Asks for an access token, and for another one where the handshake refuses it: once, as a request does. */
async function connect(subscription: Subscription): Promise<Connection> {
  const { tokens, signal } = subscription;
  const url = subscription.url.replace(/^ws/, 'http');
  const authorization = await tokens.authorize({ url, method: 'GET', signal });
  if (authorization === undefined) throw new TypeError(`${new URL(url).origin} is not listed in \`origins\``);
  const first = await open(subscription, authorization);
  if (first.response === undefined) return first;
  const { statusCode: status = 0, headers } = first.response;
  const header = (name: string): string | undefined => headers[name]?.toString();
  const replay = await tokens.reauthorize(
    authorization,
    { url, status, header },
    { replayable: true, signal },
  );
  if (replay === undefined) return first;
  const second = await open(subscription, replay);
  if (second.response?.statusCode !== undefined) tokens.settled(replay, second.response.statusCode);
  return second;
}

/** How long to wait after so many failures in a row; by chance, so that not all clients come back at once. */
function delayMs(failures: number): number {
  return Math.random() * Math.min(LONGEST_DELAY_MS, 1000 * 2 ** failures);
}

/** Whether the connection, which has ended, was a good one. */
async function connectOnce(subscription: Subscription): Promise<boolean> {
  const { response, closed } = await connect(subscription);
  const { statusCode: status = 0 } = response ?? {};
  if (status >= 400 && status < 500 && !PASSING_REFUSALS.includes(status)) {
    throw new Error(`${subscription.url} answered the handshake with ${status}`);
  }
  const since = Date.now();
  await closed;
  return status === OPENED && Date.now() - since >= SHORT_MS;
}

/**
 * Stays connected until the signal aborts. Rejects where waiting does not help: with an AccessTokenError, of which
 * `ERR_REAUTHENTICATION_REQUIRED` asks for a sign-in, or because the server forbids the connection.
 */
export async function subscribe(subscription: Subscription): Promise<void> {
  const { signal } = subscription;
  let failures = 0;
  while (!signal.aborted) {
    let retryAfterMs = 0;
    try {
      failures = (await connectOnce(subscription)) ? 0 : failures + 1;
    } catch (error) {
      if (signal.aborted) return;
      if (!(error instanceof AccessTokenError) || !PASSING.includes(error.code)) throw error;
      failures += 1;
      retryAfterMs = error.retryAfterMs ?? 0;
    }
    const ms = Math.max(retryAfterMs, delayMs(failures));
    await wait(ms, undefined, { signal }).catch(() => undefined);
  }
}
