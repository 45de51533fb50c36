import type { Limits, Profile, TokenSourceOptions } from '@unexpired/core';

/**
 * Where a refresh of one process can be held: `claimed`: the claim is written durably; `sent`: just before the request
 * leaves; `answered`: the answer has been read and nobody knows of it yet; `committing`: just before the new tokens are
 * written; `committed`: they are durable.
 */
export type RacePoint = 'claimed' | 'sent' | 'answered' | 'committing' | 'committed';

/** Where the store under test comes from: a module that every process imports. */
export interface RaceStore {
  /** A URL, or the absolute path of a file. */
  readonly module: URL | string;
  /** The export that makes the store: `(options) => TokenStore`, or a promise of one. @default 'default' */
  readonly export?: string | undefined;
  /** What it is called with. Plain JSON. */
  readonly options?: unknown;
}

/** Settings of the token source in each process. */
export interface RaceSource {
  readonly limits?: Limits | undefined;
  readonly profile?: Profile | undefined;
  readonly persistence?: TokenSourceOptions['persistence'];
}

/**
 * What a process does by itself, for ever: `expiry`: it asks for the access token, every few milliseconds; `refusal`: it
 * reports each access token as refused by an API as soon as it has it, so that generations come as fast as the store
 * and the server let them.
 */
export type Asking = 'expiry' | 'refusal';

/** What one process is started with. */
export interface RaceOrder {
  readonly name: string;
  readonly store: { readonly module: string; readonly export: string; readonly options: unknown };
  readonly account: string;
  readonly tokenEndpoint: string;
  readonly revocationEndpoint: string | undefined;
  readonly parameters: Readonly<Record<string, string>>;
  /** How many callers ask at the same time. */
  readonly callers: number;
  readonly source: RaceSource;
  /** Takes no part in the exclusive section, as a program of another make would. */
  readonly unlocked: boolean;
}

/** The access token that a process holds, and what it knows of it. */
export interface SeenToken {
  readonly generation: number;
  readonly accessToken: string;
}

/** What a process can be told to do, once. */
export type Command =
  | 'getAccessToken'
  | 'refuse'
  | 'signIn'
  | 'signOut'
  | 'read'
  | 'write'
  | 'close'
  | 'getAccessTokenAndExit';

export type ToProcess =
  | { readonly type: 'start'; readonly order: RaceOrder }
  | { readonly type: 'ask'; readonly asking: Asking | undefined }
  | { readonly type: 'hold' | 'release'; readonly point: RacePoint }
  | { readonly type: 'do'; readonly id: number; readonly command: Command; readonly argument: unknown };

/** A failure as it crosses processes. */
export interface RaceFailure {
  readonly code: string | undefined;
  readonly message: string;
}

export type FromProcess =
  | { readonly type: 'ready' }
  | { readonly type: 'token'; readonly token: SeenToken }
  | { readonly type: 'point'; readonly point: RacePoint; readonly held: boolean }
  | { readonly type: 'event'; readonly event: string }
  | { readonly type: 'failure'; readonly failure: RaceFailure }
  | { readonly type: 'done'; readonly id: number; readonly value: unknown }
  | { readonly type: 'undone'; readonly id: number; readonly failure: RaceFailure };

/** The header by which the authorization server's records tell which process sent a token request. */
export const PROCESS_HEADER = 'x-race-process';
