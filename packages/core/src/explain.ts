import type { AccessTokenError } from './errors.ts';
import type { NotReplayedReason } from './events.ts';

/** Why a caller got a 401. */
export interface Explanation {
  readonly reason: NotReplayedReason;
  /** Whether another access token can be had now: a request that the caller sends again would carry it. */
  readonly fresh: boolean;
  readonly error?: AccessTokenError | undefined;
}

interface Reason {
  readonly reason: NotReplayedReason;
  readonly error?: AccessTokenError | undefined;
  readonly isFresh: () => boolean;
}

const reasons = new WeakMap<object, Reason>();

export function noteReason(native: object | undefined, reason: Reason): void {
  if (native !== undefined) reasons.set(native, reason);
}

const SENTENCES: Readonly<Record<NotReplayedReason, string>> = {
  'body-spent':
    'The request was not sent again because its body can be read only once: give `unexpired.body`, a function that makes it anew.',
  'refresh-failed': 'No other access token could be had.',
  'refused-again': 'A fresh access token was refused too.',
  'gate-closed': 'This origin refuses fresh access tokens, so none is obtained because of it for a while.',
};

/** `explain401` as a sentence, for the messages of clients that throw. */
export function describe401(responseOrError: unknown): string | undefined {
  const explanation = explain401(responseOrError);
  if (explanation === undefined) return undefined;
  const { reason, error } = explanation;
  return error === undefined ? SENTENCES[reason] : `${SENTENCES[reason]} ${error.message}`;
}

/**
 * Why a 401 was handed on instead of being replayed; undefined where this library had no part in it.
 *
 * @param responseOrError What the HTTP client gave: a fetch `Response`, an axios response or error
 */
export function explain401(responseOrError: unknown): Explanation | undefined {
  if (typeof responseOrError !== 'object' || responseOrError === null) return undefined;
  const { response } = responseOrError as { response?: unknown };
  const inner = typeof response === 'object' && response !== null ? reasons.get(response) : undefined;
  const found = reasons.get(responseOrError) ?? inner;
  return found && { reason: found.reason, fresh: found.isFresh(), error: found.error };
}
