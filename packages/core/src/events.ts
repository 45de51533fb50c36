import type { AccessTokenErrorCode } from './errors.ts';

export type NotAuthorizedReason =
  /** The URL's origin is not listed. */
  | 'origin'
  /** The caller set Authorization, and it stands. */
  | 'own-header'
  /** The caller asked for no authorization. */
  | 'skip'
  /** The fallback was not sent: this client cannot keep its header from the target of a redirect. */
  | 'unsafe-fallback';

export type NotReplayedReason =
  /** The request's body cannot be sent a second time. */
  | 'body-spent'
  /** No other access token could be had. */
  | 'refresh-failed'
  /** A fresh access token was refused too. */
  | 'refused-again'
  /** This origin refuses fresh access tokens; no exchange is forced for it until its gate opens. */
  | 'gate-closed';

/** What each event tells beside its type. */
export interface EventDetails {
  'refresh-started': { readonly forced: boolean };
  refreshed: { readonly forced: boolean };
  adopted: object;
  'refresh-failed': { readonly code: AccessTokenErrorCode; readonly retryAfterMs: number | undefined };
  rejected: { readonly retryAfterMs: number | undefined };
  'reauthentication-required': object;
  'account-disabled': object;
  'signed-in': object;
  'signed-out': { readonly reason: 'requested' | 'elsewhere' | 'vanished' };
  persisted: object;
  'persist-failed': { readonly during: 'claim' | 'commit' };
  'lock-contended': object;
  replayed: { readonly origin: string };
  /** `not-ours`: the 401 is another origin's, about another scheme, or about the fallback. */
  'not-replayed': { readonly origin: string; readonly reason: NotReplayedReason | 'not-ours' };
  'request-not-authorized': { readonly origin: string; readonly reason: NotAuthorizedReason };
  'fallback-used': { readonly origin: string };
  'gate-opened': { readonly origin: string };
  'gate-closed': { readonly origin: string; readonly durationMs: number };
}

export type EventType = keyof EventDetails;

interface EventBase<T extends EventType> {
  readonly type: T;
  /** Epoch ms. */
  readonly at: number;
  readonly account: string;
  readonly generation: number;
  /** The first 12 hex digits of the access token's SHA-256; undefined where there is none. */
  readonly fingerprint: string | undefined;
}

/** What happened to a credential; never a token. */
export type TokenEvent = { [T in EventType]: EventBase<T> & EventDetails[T] }[EventType];

export type TokenEventListener = (event: TokenEvent) => void;
