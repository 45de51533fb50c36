import { acquireWithOthers, reentered, type SourceState } from './acquire.ts';
import type { Authorization } from './authorization.ts';
import { createAuthorizer } from './authorizer.ts';
import { instantOf, systemClock } from './clock.ts';
import { isInside } from './context.ts';
import type { Credential } from './credential.ts';
import { AccessTokenError, rethrowCopy } from './errors.ts';
import type { TokenEvent, TokenEventListener } from './events.ts';
import type { Means } from './exchange.ts';
import { createMemoryStore } from './memory-store.ts';
import { BOOLEAN, checkOptions, FUNCTION, invalidOption, MILLISECONDS, type Checks } from './options.ts';
import { checkOrigins } from './origins.ts';
import { follow } from './follow.ts';
import { leaveIfDone } from './persistence.ts';
import type { ReplayOptions, ResponseFacts } from './reauthorize.ts';
import { joinCredential } from './registry.ts';
import { flush, load, signIn, signOut } from './session.ts';
import { checkSourceOptions, checkTokenResponse, type TokenSourceOptions } from './source-options.ts';
import { createStatus, type TokenSourceStatus } from './status.ts';
import type { TokenResponse } from './token-response.ts';

/** A request as adapters describe it. */
export interface AuthorizeRequest {
  /** The URL that is sent to, after all rewriting. */
  readonly url: string | URL;
  readonly method: string;
  /** The body cannot be sent twice: a token that lives longer is wanted. */
  readonly oneShot?: boolean | undefined;
  /** Why the request is left alone although its origin may be listed; told in an event. */
  readonly standAside?: 'own-header' | 'skip' | undefined;
  readonly minTtlMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /**
   * Whether the client can keep a header that is not Authorization from the target of a redirect; asked before a
   * fallback with such a header is sent. @default it can
   */
  readonly confinesHeaders?: (() => boolean) | undefined;
}

export interface GetAccessTokenOptions {
  /** Ends this caller's wait with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Wait for a refresh if the token lives shorter than this; at most 90 % of its lifetime counts. Where the refresh
   * fails, a token that still works is returned.
   */
  readonly minTtlMs?: number | undefined;
}

/** Gives out access tokens that work, and sees to it that they do. Safe to share by everything in a process. */
export interface TokenSource {
  /**
   * An access token that works. It waits only where there is none; it rejects with an `AccessTokenError`, or with the
   * signal's reason.
   */
  getAccessToken(options?: GetAccessTokenOptions): Promise<string>;
  /**
   * Replaces the credential by what a sign-in returned; running refreshes are overtaken. Rejects with
   * `ERR_STORE_FAILED` where it could not be stored; it is used, and tried to be stored, all the same.
   */
  signIn(tokenResponse: TokenResponse): Promise<void>;
  /**
   * Ends the session here and for all who share the store, and revokes its refresh token where the option `revoke` is
   * given.
   */
  signOut(options?: { readonly revoke?: boolean | undefined }): Promise<void>;
  /** Frozen, without a secret, and the same object until something changes. */
  status(): TokenSourceStatus;
  /** Calls back with each event; returns what ends it. */
  subscribe(listener: TokenEventListener): () => void;
  /**
   * For the end of a process: waits for a refresh under way, then up to 5 s for what is to be written; rejects with
   * `ERR_STORE_FAILED` where it could not be.
   */
  flush(): Promise<void>;
  /** Ends this source: later calls reject. The shared state ends with its last source. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
  /**
   * For adapters, once for each attempt: what to set on it; undefined where the request is not ours. It returns at
   * once while the token is fresh, and a promise where there is something to wait for.
   */
  authorize(request: AuthorizeRequest): Authorization | undefined | Promise<Authorization>;
  /**
   * For adapters, with each response of status 400 or above: the authorization for the one replay, or undefined: hand
   * the response on. It rejects only on the caller's abort.
   */
  reauthorize(
    authorization: Authorization,
    response: ResponseFacts,
    options: ReplayOptions,
  ): Promise<Authorization | undefined>;
  /** For adapters, after the replay: its status, and what else is known of its response. */
  settled(authorization: Authorization, status: number, response?: Partial<ResponseFacts>): void;
}

/** Shared by all sources that are given none of their own. */
const NONE = Object.freeze({});
const REFUSED_STATUSES = Object.freeze([401]);
const DEFAULT_LIMITS: Means['limits'] = Object.freeze({
  exchangeMs: 10_000,
  flightMs: 30_000,
  lockMs: 25_000,
  waitMs: 30_000,
  replayBytes: 1024 * 1024,
});

const replayLimits = new WeakMap<TokenSource, number>();

/** How many bytes of a one-shot body this source's adapters keep. */
export function replayBytesOf(source: TokenSource): number {
  return replayLimits.get(source) ?? DEFAULT_LIMITS.replayBytes;
}

const WISH_CHECKS: Checks = {
  signal: [
    'an AbortSignal',
    (value) => typeof (value as AbortSignal | null)?.addEventListener === 'function',
  ],
  minTtlMs: MILLISECONDS,
};

function withDefaults<T extends object>(defaults: T, given?: { [K in keyof T]?: T[K] | undefined }): T {
  if (given === undefined) return defaults;
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...defaults, ...(Object.fromEntries(set) as Partial<T>) };
}

function meansOf(options: TokenSourceOptions): Means {
  return {
    refresh: options.refresh,
    timing: options.timing ?? NONE,
    revoke: options.revoke,
    binding: options.refresh.binding,
    bestEffort: options.persistence === 'best-effort',
    reuse: options.profile?.reuse ?? 'unknown',
    codes: options.profile?.codes ?? NONE,
    limits: withDefaults(DEFAULT_LIMITS, options.limits),
  };
}

/** One source's part in the shared state: opened by its first call, closed once. */
interface Session {
  readonly state: SourceState;
  readonly listen: (listener: TokenEventListener) => () => void;
  isReady(): boolean;
  isClosed(): boolean;
  close(): Promise<void>;
}

/** One source's listeners, which end with it. */
function listenersOf(credential: Credential): Pick<Session, 'listen'> & { stopAll: () => void } {
  let stops: Set<() => void> | undefined;
  return {
    listen(listener) {
      // A wrapper of its own: two sources may be given the same listener.
      const own = (event: TokenEvent): void => listener(event);
      const stop = (): void => {
        credential.listeners?.delete(own);
        stops?.delete(stop);
      };
      (credential.listeners ??= new Set()).add(own);
      (stops ??= new Set()).add(stop);
      return stop;
    },
    stopAll() {
      for (const stop of stops ?? []) stop();
    },
  };
}

function openSession(options: TokenSourceOptions, account: string): Session {
  const { clock = systemClock, random = Math.random, onEvent } = options;
  const seed = options.tokens && { response: options.tokens, givenAt: instantOf(clock) };
  const means = meansOf(options);
  const { binding } = means;
  const { credential, leave } = joinCredential(options.store ?? createMemoryStore(), account, {
    binding,
    clock,
    random,
  });
  const { listen, stopAll } = listenersOf(credential);
  if (onEvent !== undefined) listen(onEvent);
  let loading: Promise<void> | undefined;
  let stopFollowing: (() => void) | undefined;
  let ready = false;
  let closed = false;
  let closing: Promise<void> | undefined;

  async function close(): Promise<void> {
    closed = true;
    stopFollowing?.();
    const last = leave();
    if (last) await flush(credential).catch(() => undefined);
    stopAll();
    if (!last) return;
    // What could not be written is lost with the process; others must not wait for it.
    credential.unwritten = undefined;
    leaveIfDone(credential);
  }

  async function firstLoad(): Promise<void> {
    try {
      // Before the read, after which nothing may be missed.
      if (!closed) stopFollowing ??= follow(credential);
      await load(state, seed);
      ready = true;
    } catch (error) {
      loading = undefined;
      throw error;
    }
  }
  const state: SourceState = {
    credential,
    means,
    loaded() {
      // Its store waits for the source whose first read it is: neither could ever go on.
      if (!ready && isInside(credential)) return Promise.reject(reentered(account));
      return (loading ??= firstLoad());
    },
    isLoaded: () => ready,
    shared: {},
  };
  return {
    state,
    listen,
    isReady: () => ready && !closed,
    isClosed: () => closed,
    close: () => (closing ??= close()),
  };
}

/**
 * Keeps one account's access token fresh for everything that shares the returned source. One that is no longer needed is
 * to be closed: dropped alone, it stays in the state that its store's sources share.
 *
 * @throws TypeError that names the option, what was expected, and what came
 */
export function createTokenSource(options: TokenSourceOptions): TokenSource {
  checkSourceOptions(options);
  const origins = checkOrigins(options.origins, options.allowHttp);
  const account = options.account ?? 'default';
  const session = openSession(options, account);
  const { state } = session;
  const { credential, means } = state;

  function ensureOpen(): void {
    if (!session.isClosed()) return;
    throw new AccessTokenError('ERR_MISCONFIGURED', `The token source of account '${account}' is closed.`);
  }
  const source: TokenSource = Object.freeze({
    ...createAuthorizer(session, {
      origins,
      fallback: options.fallback,
      refusedStatuses: options.profile?.refusedStatuses ?? REFUSED_STATUSES,
      ensureOpen,
    }),
    async getAccessToken(wish: GetAccessTokenOptions = {}) {
      checkOptions(wish, WISH_CHECKS);
      ensureOpen();
      const { accessToken } = await acquireWithOthers(state, wish).catch(rethrowCopy);
      return accessToken!;
    },
    async signIn(tokenResponse: TokenResponse) {
      ensureOpen();
      checkTokenResponse('tokenResponse', tokenResponse);
      await signIn(state, tokenResponse);
    },
    async signOut(how: { readonly revoke?: boolean | undefined } = {}) {
      ensureOpen();
      checkOptions(how, { revoke: BOOLEAN });
      await signOut(state, how.revoke ?? true);
    },
    status: createStatus(state),
    subscribe(listener: TokenEventListener) {
      if (typeof listener !== 'function') throw invalidOption('listener', FUNCTION[0], listener);
      ensureOpen();
      return session.listen(listener);
    },
    async flush() {
      ensureOpen();
      await flush(credential);
    },
    close: () => session.close(),
    [Symbol.asyncDispose]: () => session.close(),
  });
  const { replayBytes } = means.limits;
  if (replayBytes !== DEFAULT_LIMITS.replayBytes) replayLimits.set(source, replayBytes);
  return source;
}
