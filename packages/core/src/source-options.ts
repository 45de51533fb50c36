import type { Clock } from './clock.ts';
import type { TokenEventListener } from './events.ts';
import type { Limits } from './exchange.ts';
import type { Timing } from './expiry.ts';
import type { FailureKind } from './failure.ts';
import {
  checkOptions,
  FUNCTION,
  invalidOption,
  isObject,
  MILLISECONDS,
  OBJECT,
  TEXT,
  type Check,
  type Checks,
} from './options.ts';
import type { RefreshFunction } from './refresh.ts';
import type { Reuse } from './suspect.ts';
import { isAccessToken, isFilled, type TokenResponse, type TokenSet } from './token-response.ts';
import type { TokenStore } from './token-store.ts';

/** A provider's facts, as data. */
export interface Profile {
  /**
   * Statuses by which its resource servers refuse an access token.
   * @default [401]
   */
  readonly refusedStatuses?: readonly number[] | undefined;
  /**
   * What happens when a spent refresh token is presented again.
   * @default 'unknown'
   */
  readonly reuse?: Reuse | undefined;
  /** What its own codes mean, wherever in the answer they stand; they come before the standard table. */
  readonly codes?:
    | Readonly<Record<string, Exclude<FailureKind, 'puzzling' | 'malformed' | 'other-account'>>>
    | undefined;
}

/** A static key for the time without an access token: a bearer token, or a header of its own. */
export type Fallback = string | { readonly header: string; readonly value: string };

export interface TokenSourceOptions {
  /** The only origins that ever see the access token: exact, https, or http on loopback. */
  readonly origins: readonly (string | URL)[];
  /**
   * Whether `origins` may hold plain http origins outside of loopback.
   * @default false
   */
  readonly allowHttp?: boolean | undefined;
  /** Obtains new tokens; `refreshTokenGrant` of `@unexpired/oauth` makes one. */
  readonly refresh: RefreshFunction;
  /** @default createMemoryStore() */
  readonly store?: TokenStore | undefined;
  /**
   * The key in the store.
   * @default 'default'
   */
  readonly account?: string | undefined;
  /** A first token response, used and stored only where the store has no record; `refresh_token` alone is enough. */
  readonly tokens?: TokenResponse | undefined;
  /**
   * Whether a store that cannot be written stops a refresh before its refresh token is spent, or is passed over with a
   * `persist-failed` event.
   * @default 'required'
   */
  readonly persistence?: 'required' | 'best-effort' | undefined;
  /**
   * What requests carry while the refresh is rejected, dead, disabled or signed out; `getAccessToken` never returns it.
   * @default none
   */
  readonly fallback?: Fallback | undefined;
  readonly profile?: Profile | undefined;
  readonly timing?: Timing | undefined;
  readonly limits?: Limits | undefined;
  /** Called on sign-out, and with tokens that a sign-in or sign-out overtook. What it throws is ignored. */
  readonly revoke?: ((tokens: TokenSet) => Promise<void>) | undefined;
  /** Called with each event; what it throws is ignored. */
  readonly onEvent?: TokenEventListener | undefined;
  /** For tests. */
  readonly clock?: Clock | undefined;
  /** For tests: a number from 0 up to 1. @default Math.random */
  readonly random?: (() => number) | undefined;
}

const KINDS: readonly string[] = [
  'transient',
  'throttled',
  'rejected',
  'refused',
  'revoked',
  'disabled',
  'misconfigured',
] satisfies FailureKind[];

// RFC 9110, sections 5.1 and 5.5: what a header may be named and hold.
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]+$/;

function isFallback(value: unknown): boolean {
  if (typeof value === 'string') return HEADER_VALUE.test(value);
  if (!isObject(value) || Object.keys(value).some((name) => name !== 'header' && name !== 'value'))
    return false;
  const { header, value: key } = value;
  return isFilled(header) && HEADER_NAME.test(header) && isFilled(key) && HEADER_VALUE.test(key);
}

function isReuse(value: unknown): boolean {
  if (isObject(value)) return MILLISECONDS[1](value['graceMs']) && Object.keys(value).length === 1;
  return value === 'safe' || value === 'unknown' || value === 'strict';
}

function isStatusList(value: unknown): boolean {
  return (
    Array.isArray(value) && value.every((status) => Number.isInteger(status) && status >= 400 && status < 600)
  );
}

function isCodeTable(value: unknown): boolean {
  return isObject(value) && Object.values(value).every((kind) => KINDS.includes(kind as string));
}

const hasMethods =
  (...names: string[]) =>
  (value: unknown): boolean =>
    typeof value === 'object' &&
    value !== null &&
    names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function');

/** What a sign-in needs: at least one of the tokens, as a string. */
export function checkTokenResponse(name: string, value: unknown): void {
  if (!isObject(value)) throw invalidOption(name, 'a token response', value);
  const { access_token: accessToken, refresh_token: refreshToken } = value;
  const strings = [accessToken, refreshToken].every(
    (token) => token === undefined || typeof token === 'string',
  );
  if (isFilled(accessToken) && !isAccessToken(accessToken)) {
    throw new TypeError(
      `\`${name}\` must have an access_token of visible ASCII characters (RFC 6749, appendix A.12)`,
    );
  }
  if (strings && (isFilled(accessToken) || isFilled(refreshToken))) return;
  const members = Object.keys(value).join(', ') || 'none';
  throw new TypeError(
    `\`${name}\` must be a token response with access_token or refresh_token as strings (RFC 6749 names), got members: ${members}`,
  );
}

const CHECKS: Checks = {
  origins: ['a list', () => true],
  allowHttp: ['true or false', (value) => typeof value === 'boolean'],
  refresh: FUNCTION,
  store: ['a token store', hasMethods('read', 'write', 'runExclusive', 'subscribe')],
  account: TEXT,
  tokens: ['a token response', isObject],
  persistence: ["'required' or 'best-effort'", (value) => value === 'required' || value === 'best-effort'],
  fallback: ['a key as a string, or { header, value } that can be sent as a header', isFallback],
  profile: OBJECT,
  timing: OBJECT,
  limits: OBJECT,
  revoke: FUNCTION,
  onEvent: FUNCTION,
  clock: ['a clock with now(), monotonic() and setTimer()', hasMethods('now', 'monotonic', 'setTimer')],
  random: FUNCTION,
};

const PROFILE_CHECKS: Checks = {
  refusedStatuses: ['a list of statuses from 400 to 599', isStatusList],
  reuse: ["'safe', 'unknown', 'strict' or { graceMs }", isReuse],
  codes: [`an object whose values are of: ${KINDS.join(', ')}`, isCodeTable],
};

const TIMING_CHECKS: Checks = {
  ttlThresholdMs: MILLISECONDS,
  leewayMs: MILLISECONDS,
  // A lifetime is compared, not waited for: it may be longer than a timer.
  assumedLifetimeMs: [
    'a number of milliseconds above 0',
    (value) => typeof value === 'number' && value > 0 && Number.isFinite(value),
  ],
};

const SOME_MILLISECONDS: Check = [
  'a number of milliseconds from 1 to 2147483647',
  (value) => MILLISECONDS[1](value) && (value as number) >= 1,
];

const LIMITS_CHECKS: Checks = {
  exchangeMs: SOME_MILLISECONDS,
  flightMs: SOME_MILLISECONDS,
  lockMs: MILLISECONDS,
  waitMs: SOME_MILLISECONDS,
  replayBytes: ['a number of bytes', (value) => Number.isSafeInteger(value) && (value as number) >= 0],
};

/** Throws a TypeError that names the option, what was expected, and what came. */
export function checkSourceOptions(options: unknown): asserts options is TokenSourceOptions {
  checkOptions(options, CHECKS);
  const { refresh, tokens, profile, timing, limits } = options as Record<string, unknown>;
  if (refresh === undefined) throw invalidOption('refresh', 'a function', refresh);
  if (tokens !== undefined) checkTokenResponse('tokens', tokens);
  if (profile !== undefined) checkOptions(profile, PROFILE_CHECKS, 'profile');
  if (timing !== undefined) checkOptions(timing, TIMING_CHECKS, 'timing');
  if (limits !== undefined) checkOptions(limits, LIMITS_CHECKS, 'limits');
}
