import type { Authorization } from './authorization.ts';
import { isOneShot, planBody, type RequestBody } from './body-plan.ts';
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
import type { ResponseFacts } from './reauthorize.ts';
import { replayBytesOf, type AuthorizeRequest, type TokenSource } from './token-source.ts';
import { unlessAborted } from './waiting.ts';

/** What the key `unexpired` of one request may hold. */
export interface RequestOptions {
  /** Sends the request as it is, without an access token. */
  readonly skip?: boolean | undefined;
  /** Makes a fresh body; called once, for the replay. */
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
function checkRequestOptions(options: unknown): RequestOptions {
  if (options === undefined) return {};
  checkOptions(options, REQUEST_CHECKS, 'unexpired');
  return options as RequestOptions;
}

/** Checks what an adapter is created with; `others` are the options that only this adapter has. */
export function checkAdapter(tokens: unknown, options: unknown, others: Checks = {}): void {
  const isSource = isObject(tokens) && typeof tokens['authorize'] === 'function';
  if (!isSource && typeof tokens !== 'function') {
    throw invalidOption('tokens', 'a token source or a function that resolves one', tokens);
  }
  checkOptions(options, { replaceAuthorization: BOOLEAN, ...others });
}

/** The source for one request. */
function selectSource(
  tokens: TokenSource | TokenSourceResolver,
  request: ResolverRequest,
): TokenSource | undefined | Promise<TokenSource | undefined> {
  if (typeof tokens === 'function') return tokens(request);
  if (request.account !== undefined) {
    throw new TypeError(
      '`unexpired.account` needs an adapter with a resolver, got one with a single token source',
    );
  }
  return tokens;
}

/** Whether, and why, a request is left alone on listed origins too. */
function standAsideFor(
  request: RequestOptions,
  adapter: AdapterOptions,
  hasAuthorization: boolean,
): AuthorizeRequest['standAside'] {
  if (request.skip) return 'skip';
  const replaces = request.replaceAuthorization ?? adapter.replaceAuthorization ?? false;
  return hasAuthorization && !replaces ? 'own-header' : undefined;
}

/** One HTTP client, as `sendAuthorized` sees it. `R` is whatever it returns, also for failures that carry a status. */
export interface Transport<R> {
  /** One attempt, with a copy of the caller's headers; undefined: as the caller made it. */
  send(authorization: Authorization | undefined, body: unknown): Promise<R>;
  /** Undefined where nothing was answered. */
  facts(result: R): ResponseFacts | undefined;
  /** Gets rid of a response that will not reach the caller; of all of it once `enough` aborts. */
  discard(result: R, enough: AbortSignal): Promise<void>;
}

/** One logical request: an attempt with a fresh access token, and after a 401 one more with a fresher one. */
async function sendAuthorized<R>(
  source: TokenSource,
  { request, body }: { request: AuthorizeRequest; body: RequestBody },
  transport: Transport<R>,
): Promise<R> {
  const authorization = await source.authorize({ ...request, oneShot: isOneShot(body) });
  // Not ours: nothing of it is touched.
  if (authorization === undefined) return transport.send(undefined, body.value);
  const plan = planBody(body, replayBytesOf(source));
  const enough = new AbortController();
  try {
    const result = await transport.send(authorization, plan.first);
    const facts = transport.facts(result);
    if (facts === undefined || facts.status < 400) return result;
    const { signal, confinesHeaders } = request;
    // A function: the first attempt may go on reading while the refresh is waited for.
    const replayable = (): boolean => plan.isReplayable();
    const replay = await source.reauthorize(authorization, facts, { replayable, signal, confinesHeaders });
    if (replay === undefined) return result;
    plan.rewind();
    // What the server still owes of the first answer is waited for until the second is there, and no longer.
    await transport.discard(result, enough.signal);
    const second = await transport.send(replay, await unlessAborted(plan.again(), signal));
    const outcome = transport.facts(second);
    if (outcome !== undefined) source.settled(replay, outcome.status, outcome);
    return second;
  } finally {
    enough.abort();
    plan.dispose();
  }
}

/** One request as an adapter found it. */
export interface FoundRequest {
  /** The URL that is sent to, after all rewriting. */
  readonly url: string;
  readonly method: string;
  /** Whether the caller set Authorization, be it to nothing. */
  readonly hasAuthorization: boolean;
  /** The client replaces the header by an authentication of its own, whatever is set. */
  readonly hasOwnAuthentication?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** As in `authorize`. */
  readonly confinesHeaders?: AuthorizeRequest['confinesHeaders'];
  readonly body: Omit<RequestBody, 'factory'>;
  /** What the client makes of a factory's body before it is sent. @default it is sent as it is */
  readonly prepare?: ((made: unknown) => unknown) | undefined;
  /** Its key `unexpired`. */
  readonly options: unknown;
  /** For the resolver: the client's own form of the request. */
  readonly native: unknown;
}

/** Sends one request by the source that is responsible for it; untouched where there is none. */
export async function sendGuarded<R>(
  { tokens, options }: { tokens: TokenSource | TokenSourceResolver; options: AdapterOptions },
  found: FoundRequest,
  transport: Transport<R>,
): Promise<R> {
  const { url, method, native, signal, confinesHeaders, prepare = (made: unknown): unknown => made } = found;
  const { account, body: make, minTtlMs, ...request } = checkRequestOptions(found.options);
  const source = await unlessAborted(selectSource(tokens, { url, method, account, native }), signal);
  const factory = make && (async () => prepare(await make()));
  const body = { ...found.body, factory };
  if (source === undefined) return transport.send(undefined, body.value);
  const own = standAsideFor(request, options, found.hasAuthorization);
  const standAside = own ?? (found.hasOwnAuthentication ? 'own-header' : undefined);
  const described = { url, method, standAside, minTtlMs, signal, confinesHeaders };
  return sendAuthorized(source, { request: described, body }, transport);
}
