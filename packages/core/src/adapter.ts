import { sentOf, type Authorization } from './authorization.ts';
import { isOneShot, planBody, type BodyPlan, type RequestBody } from './body-plan.ts';
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
import { originOf } from './origins.ts';
import type { ResponseFacts } from './reauthorize.ts';
import { replayBytesOf, type AuthorizeRequest, type TokenSource } from './token-source.ts';
import { isPromise, unlessAborted } from './waiting.ts';

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
function checkRequestOptions(options: unknown, tokens: unknown): RequestOptions {
  if (options === undefined) return {};
  checkOptions(options, REQUEST_CHECKS, 'unexpired');
  const request = options as RequestOptions;
  if (request.account === undefined || typeof tokens === 'function') return request;
  throw new TypeError(
    '`unexpired.account` needs an adapter with a resolver, got one with a single token source',
  );
}

function isSource(tokens: unknown): boolean {
  return isObject(tokens) && typeof tokens['authorize'] === 'function';
}

/** Checks what an adapter is created with; `others` are the options that only this adapter has. */
export function checkAdapter(tokens: unknown, options: unknown, others: Checks = {}): void {
  if (!isSource(tokens) && typeof tokens !== 'function') {
    throw invalidOption('tokens', 'a token source or a function that resolves one', tokens);
  }
  checkOptions(options, { replaceAuthorization: BOOLEAN, ...others });
}

/** One HTTP client, as `sendGuarded` sees it. `R` is whatever it returns, also for failures that carry a status. */
export interface Transport<R> {
  /** One attempt, with a copy of the caller's headers; undefined: as the caller made it. */
  send(authorization: Authorization | undefined, body: unknown): Promise<R>;
  /** Undefined where nothing was answered. */
  facts(result: R): ResponseFacts | undefined;
  /** Gets rid of a response that will not reach the caller; of all of it once `enough` aborts. */
  discard(result: R, enough: AbortSignal): Promise<void>;
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
  /** The client cannot send it a second time, whatever its body is. */
  readonly isOnce?: boolean | undefined;
  /** What the client makes of a factory's body before it is sent. @default it is sent as it is */
  readonly prepare?: ((made: unknown) => unknown) | undefined;
  /** Its key `unexpired`. */
  readonly options: unknown;
  /** For the resolver: the client's own form of the request. */
  readonly native: unknown;
}

export interface Adapter {
  readonly tokens: TokenSource | TokenSourceResolver;
  readonly options: AdapterOptions;
}

/** Whether, and why, a request is left alone on listed origins too. */
function standAsideFor(
  found: FoundRequest,
  request: RequestOptions,
  adapter: AdapterOptions,
): AuthorizeRequest['standAside'] {
  if (request.skip) return 'skip';
  if (found.hasOwnAuthentication) return 'own-header';
  const replaces = request.replaceAuthorization ?? adapter.replaceAuthorization ?? false;
  return found.hasAuthorization && !replaces ? 'own-header' : undefined;
}

/** At once wherever there is nothing to wait for: most requests carry a fresh token and are not refused. */
type Eventually<T> = T | Promise<T>;

/** One logical request: an attempt with a fresh access token, and after a 401 one more with a fresher one. */
export interface GuardedRequest {
  /**
   * For an attempt, and for a redirect that the client follows in sight of its adapter. Undefined: it is sent without,
   * and so is all that comes after it.
   */
  authorize(): Eventually<Authorization | undefined>;
  /** The body of the first attempt. */
  body(): unknown;
  /** For each attempt: what it is repeated with, or undefined: its answer is the caller's. */
  answered(facts: ResponseFacts | undefined): Eventually<Authorization | undefined>;
  /** The body of the repetition. Rejects with what the caller's factory threw. */
  again(): Promise<unknown>;
  /** To be called when the request is over. */
  dispose(hasFailed?: boolean): void;
}

function factoryFor(
  { body, method, prepare }: FoundRequest,
  make: () => unknown,
): (() => Promise<unknown>) | undefined {
  // A factory for all calls is no body for those that have none.
  if (!body.value && /^(get|head)$/i.test(method)) return undefined;
  return async () => {
    const made = await make();
    return prepare === undefined ? made : prepare(made);
  };
}

/**
 * The steps of one request, for clients where no one function makes all attempts. What hooks and redirects may change
 * of `found` is read anew at each step: the adapter writes it there.
 */
export function guardRequest({ tokens, options }: Adapter, found: FoundRequest): GuardedRequest {
  const { account, body: make, minTtlMs, ...own } = checkRequestOptions(found.options, tokens);
  const { signal, confinesHeaders } = found;
  const body = { ...found.body, factory: make && factoryFor(found, make) };
  // The one source there is, or, once it was asked, the resolver's.
  let source = typeof tokens === 'function' ? undefined : tokens;
  let isChosen = typeof tokens !== 'function';
  let sent: Authorization | undefined;
  let replay: Authorization | undefined;
  let isReplayed = false;
  let plan: BodyPlan | undefined;
  const planned = (): BodyPlan => (plan ??= planBody(body, replayBytesOf(source!)));

  function begin(authorization: Authorization | undefined): Authorization | undefined {
    replay = undefined;
    if (authorization === undefined) source = undefined;
    return (sent = authorization);
  }
  function authorize(): Eventually<Authorization | undefined> {
    const { url, method } = found;
    if (replay !== undefined && originOf(url) === sentOf(replay)?.origin) return begin(replay);
    const standAside = standAsideFor(found, own, options);
    const oneShot = found.isOnce || (isOneShot(body) && !(body.size! < replayBytesOf(source!)));
    const described = { url, method, oneShot, standAside, minTtlMs, signal, confinesHeaders };
    const authorization = source?.authorize(described);
    return isPromise(authorization) ? authorization.then(begin) : begin(authorization);
  }
  async function chooseAndAuthorize(resolve: TokenSourceResolver): Promise<Authorization | undefined> {
    const { url, method, native } = found;
    source = await unlessAborted(resolve({ url, method, account, native }), signal);
    if (source !== undefined && !isSource(source)) {
      throw invalidOption('tokens', 'a resolver of token sources', source);
    }
    isChosen = true;
    return authorize();
  }
  async function reauthorize(facts: ResponseFacts): Promise<Authorization | undefined> {
    // A function: the first attempt may go on reading while the refresh is waited for.
    const replayable = (): boolean => !found.isOnce && planned().isReplayable();
    replay = await source!.reauthorize(sent!, facts, { replayable, signal, confinesHeaders });
    if (replay === undefined) return undefined;
    isReplayed = true;
    planned().recording?.rewind();
    return (sent = replay);
  }

  return {
    authorize: () => (isChosen ? authorize() : chooseAndAuthorize(tokens as TokenSourceResolver)),
    body: () => (source === undefined ? body.value : planned().first),
    answered(facts) {
      if (source === undefined || sent === undefined || facts === undefined) return undefined;
      if (isReplayed) source.settled(sent, facts.status, facts);
      return isReplayed || facts.status < 400 ? undefined : reauthorize(facts);
    },
    again: async () => unlessAborted(planned().again(), signal),
    dispose: (hasFailed) => plan?.recording?.dispose(hasFailed),
  };
}

/** Sends one request by the source that is responsible for it; untouched where there is none. */
export async function sendGuarded<R>(
  adapter: Adapter,
  found: FoundRequest,
  transport: Transport<R>,
): Promise<R> {
  const request = guardRequest(adapter, found);
  const authorized = request.authorize();
  // Not awaited where it is there: the caller's body is taken at the call, as the bare client takes it.
  const authorization = isPromise(authorized) ? await authorized : authorized;
  if (authorization === undefined) return transport.send(undefined, found.body.value);
  // Made for a replay only: to abort one costs more than all else here.
  let enough: AbortController | undefined;
  try {
    const result = await transport.send(authorization, request.body());
    const replay = await request.answered(transport.facts(result));
    if (replay === undefined) return result;
    // What the server still owes of the first answer is waited for until the second is there, and no longer.
    enough = new AbortController();
    await transport.discard(result, enough.signal);
    const second = await transport.send(replay, await request.again());
    await request.answered(transport.facts(second));
    return second;
  } catch (error) {
    request.dispose(true);
    throw error;
  } finally {
    enough?.abort();
    request.dispose();
  }
}
