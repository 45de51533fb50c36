import { AccessTokenError } from '@unexpired/core';
import type { Run } from './redis-client.ts';

function unusable(why: string): AccessTokenError {
  return new AccessTokenError('ERR_STORE_FAILED', `Redis could not be used: ${why}`);
}

/** What Redis or a client says of a failure. Never the error itself: ioredis puts the command with the tokens in it. */
function failureOf(error: unknown): AccessTokenError {
  const { message, code } = (error ?? {}) as { readonly message?: unknown; readonly code?: unknown };
  // Several addresses that were tried in vain are told by a code alone.
  const said = [message, code].find((text): text is string => typeof text === 'string' && text !== '');
  // An unknown command is told with its arguments.
  return unusable((said ?? 'it gave no reason').split(/,? with args /)[0]!.slice(0, 200));
}

export interface Command {
  readonly script: string;
  readonly keys: readonly string[];
  readonly values?: readonly (string | number)[];
  /** Ends the waiting for the answer; the command may run all the same. */
  readonly signal?: AbortSignal;
  /** Is told of an answer that nobody waits for any more. */
  readonly onLate?: (answer: unknown) => void;
}

export type Send = (command: Command) => Promise<unknown>;

/** Calls back after `ms`, and after what came meanwhile: a halted process finds its timers due before it reads. */
export function afterReading(callback: () => void, ms: number): NodeJS.Timeout {
  return setTimeout(() => setImmediate(callback), ms);
}

/** Runs commands. One that was not answered within `ms` is given up: clients queue for ever while Redis is away. */
export function sendWith(run: Run, ms: number): Send {
  return ({ script, keys, values = [], signal, onLate }) =>
    new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      let isLate = false;
      const giveUp = (reason: unknown): void => {
        isLate = true;
        settle();
        reject(reason as Error);
      };
      const onAbort = (): void => giveUp(signal!.reason);
      const timer = afterReading(() => giveUp(unusable(`it did not answer within ${ms} ms`)), ms);
      const settle = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      run(script, keys, values).then(
        (answer) => {
          if (isLate) return onLate?.(answer);
          settle();
          resolve(answer);
        },
        (error: unknown) => {
          settle();
          reject(failureOf(error));
        },
      );
    });
}
