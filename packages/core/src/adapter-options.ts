import {
  BOOLEAN,
  checkOptions,
  FUNCTION,
  invalidOption,
  isObject,
  MILLISECONDS,
  TEXT,
  type Checks,
} from './options.ts';
import type { TokenSource } from './token-source.ts';

/** What the key `unexpired` of one request may hold. */
export interface RequestOptions {
  /** Sends the request as it is, without an access token. */
  readonly skip?: boolean | undefined;
  /** Makes a fresh body; called once, for the replay. Not for a GET or HEAD without one. */
  readonly body?: (() => unknown) | undefined;
  /** For the resolver; a `TypeError` where the adapter has one source only. */
  readonly account?: string | undefined;
  /** Wait for a refresh if the token lives shorter than this, in milliseconds. */
  readonly minTtlMs?: number | undefined;
  /** @default the adapter's option of the same name */
  readonly replaceAuthorization?: boolean | undefined;
}

export interface AdapterOptions {
  /**
   * Whether an Authorization header that the caller set is replaced, for SDKs that always send one.
   * @default false: it stands, and the request is left alone
   */
  readonly replaceAuthorization?: boolean | undefined;
}

export interface ResolverRequest {
  readonly url: string;
  readonly method: string;
  /** `unexpired.account` of the request. */
  readonly account: string | undefined;
  /** The client's own form of the request. */
  readonly native: unknown;
}

/**
 * Names the source for one request, in the caller's async context: many accounts, a user for each request. Undefined
 * leaves the request untouched.
 */
export type TokenSourceResolver = (
  request: ResolverRequest,
) => TokenSource | undefined | Promise<TokenSource | undefined>;

const REQUEST_CHECKS: Checks = {
  skip: BOOLEAN,
  body: FUNCTION,
  account: TEXT,
  minTtlMs: MILLISECONDS,
  replaceAuthorization: BOOLEAN,
};

/** Checks the key `unexpired` of one request. */
export function checkRequestOptions(options: unknown, tokens: unknown): RequestOptions {
  if (options === undefined) return {};
  checkOptions(options, REQUEST_CHECKS, 'unexpired');
  const request = options as RequestOptions;
  if (request.account === undefined || typeof tokens === 'function') return request;
  throw new TypeError(
    '`unexpired.account` needs an adapter with a resolver, got one with a single token source',
  );
}

export function isSource(tokens: unknown): boolean {
  return isObject(tokens) && typeof tokens['authorize'] === 'function';
}

/** Checks what an adapter is created with; `others` are the options that only this adapter has. */
export function checkAdapter(tokens: unknown, options: unknown, others: Checks = {}): void {
  if (!isSource(tokens) && typeof tokens !== 'function') {
    throw invalidOption('tokens', 'a token source or a function that resolves one', tokens);
  }
  checkOptions(options, { replaceAuthorization: BOOLEAN, ...others });
}
