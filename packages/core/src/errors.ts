/**
 * Why no access token can be had. Upper case on purpose: lower case is how RFC 6749 writes the authorization server's
 * own codes (`invalid_grant`), and those stay in `cause`.
 */
export type AccessTokenErrorCode =
  /** A person must sign in again: the refresh token is refused, revoked, or there is none. */
  | 'ERR_REAUTHENTICATION_REQUIRED'
  /** The authorization server closed the account. */
  | 'ERR_ACCOUNT_DISABLED'
  /** The authorization server refused the refresh without an OAuth code that says why; tried again after a cool-down. */
  | 'ERR_REFRESH_REJECTED'
  /** The token endpoint could not be reached or could not answer; tried again after a back-off. */
  | 'ERR_REFRESH_FAILED'
  /** The client, the grant or this library is set up wrongly. */
  | 'ERR_MISCONFIGURED'
  /** The token store could not be read or written. */
  | 'ERR_STORE_FAILED'
  /** Another process held the store's exclusive section for longer than `limits.lockMs`. */
  | 'ERR_LOCK_TIMEOUT'
  /** This caller waited longer than `limits.waitMs`; the refresh goes on. */
  | 'ERR_WAIT_TIMEOUT'
  /** The stored record belongs to another issuer, client or subject. */
  | 'ERR_ACCOUNT_MISMATCH';

export interface AccessTokenErrorOptions {
  /** What led here. Never an object that may hold a token. */
  cause?: unknown;
  /** @default true for `ERR_ACCOUNT_DISABLED`, else false */
  permanent?: boolean | undefined;
  /** Milliseconds until the next attempt is made on our side. */
  retryAfterMs?: number | undefined;
}

/**
 * The one run-time error of this library. Recognise it by `code`, so that two copies of the package agree.
 * A refresh function may throw one to say what its failure means; it is obeyed.
 */
export class AccessTokenError extends Error {
  readonly code: AccessTokenErrorCode;
  /** Whether waiting is of no use: only another sign-in, another stored token, or another set-up helps. */
  readonly permanent: boolean;
  /** Milliseconds until the next attempt on our side; undefined where none is planned. */
  readonly retryAfterMs: number | undefined;

  constructor(code: AccessTokenErrorCode, message: string, options: AccessTokenErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AccessTokenError';
    this.code = code;
    this.permanent = options.permanent ?? code === 'ERR_ACCOUNT_DISABLED';
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** By shape, so that an error of another copy of this package is obeyed too. */
export function isAccessTokenError(value: unknown): value is AccessTokenError {
  return (
    typeof value === 'object' &&
    value !== null &&
    (value as Error).name === 'AccessTokenError' &&
    typeof (value as AccessTokenError).code === 'string'
  );
}

/** An error object of its own for each caller: stacks and later changes of one must not show in another. */
export function copyOf(error: AccessTokenError, retryAfterMs?: number): AccessTokenError {
  const { code, message, cause, permanent } = error;
  return new AccessTokenError(code, message, {
    cause,
    permanent,
    retryAfterMs: retryAfterMs ?? error.retryAfterMs,
  });
}

export function rethrowCopy(error: unknown): never {
  throw isAccessTokenError(error) ? copyOf(error) : error;
}

/** What may be told of an error that others built: those carry requests, and requests carry tokens. */
export interface CauseFacts {
  name?: string | undefined;
  code?: string | undefined;
  status?: number | undefined;
  /** The authorization server's own code (RFC 6749, section 5.2). */
  error?: string | undefined;
}

/** Longer than this no text of others is told. */
const TOLD_LENGTH = 300;

export function causeOf(facts: CauseFacts): Error {
  const told: [string, unknown][] = Object.entries(facts)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]: [string, unknown]) => [
      key,
      typeof value === 'string' ? value.slice(0, TOLD_LENGTH) : value,
    ]);
  const text = told.map(([key, value]) => `${key} ${String(value)}`).join(', ');
  return Object.assign(new Error(text), Object.fromEntries<unknown>(told));
}

/** Name and code of a foreign error, and nothing else of it. Uncut, so that a secret in it can still be found. */
export function factsOf(error: unknown): CauseFacts {
  if (typeof error !== 'object' || error === null) return { name: typeof error };
  const { name, code } = error as { name?: unknown; code?: unknown };
  return {
    name: typeof name === 'string' ? name : undefined,
    code: typeof code === 'string' ? code : undefined,
  };
}
