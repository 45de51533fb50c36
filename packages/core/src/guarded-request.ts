import {
  checkRequestOptions,
  isSource,
  type AdapterOptions,
  type RequestOptions,
  type TokenSourceResolver,
} from './adapter-options.ts';
import { sentOf, type Authorization } from './authorization.ts';
import { isOneShot, planBody, type BodyPlan, type RequestBody } from './body-plan.ts';
import { invalidOption } from './options.ts';
import { originOf } from './origins.ts';
import type { ResponseFacts } from './reauthorize.ts';
import { replayBytesOf, type AuthorizeRequest, type TokenSource } from './token-source.ts';
import { isPromise, unlessAborted } from './waiting.ts';

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

class Guard implements GuardedRequest {
  readonly #adapter: Adapter;
  readonly #found: FoundRequest;
  readonly #own: RequestOptions;
  readonly #body: RequestBody;
  /** The one source there is, or, once it was asked, the resolver's. */
  #source: TokenSource | undefined;
  #resolve: TokenSourceResolver | undefined;
  #sent: Authorization | undefined;
  #replay: Authorization | undefined;
  #isReplayed = false;
  #plan: BodyPlan | undefined;

  constructor(adapter: Adapter, found: FoundRequest) {
    const { tokens } = adapter;
    this.#adapter = adapter;
    this.#found = found;
    this.#own = checkRequestOptions(found.options, tokens);
    const make = this.#own.body;
    this.#body = make === undefined ? found.body : { ...found.body, factory: factoryFor(found, make) };
    if (typeof tokens === 'function') this.#resolve = tokens;
    else this.#source = tokens;
  }

  authorize(): Eventually<Authorization | undefined> {
    if (this.#resolve !== undefined) return this.#chooseAndAuthorize(this.#resolve);
    const source = this.#source;
    if (source === undefined) return undefined;
    const { url, method, isOnce, signal, confinesHeaders } = this.#found;
    const replay = this.#replay;
    if (replay !== undefined && originOf(url) === sentOf(replay)?.origin) return this.#begin(replay);
    const body = this.#body;
    const standAside = standAsideFor(this.#found, this.#own, this.#adapter.options);
    const oneShot = isOnce || (isOneShot(body) && !(body.size! < replayBytesOf(source)));
    const { minTtlMs } = this.#own;
    const described = { url, method, oneShot, standAside, minTtlMs, signal, confinesHeaders };
    const authorization = source.authorize(described);
    return isPromise(authorization)
      ? authorization.then((given) => this.#begin(given))
      : this.#begin(authorization);
  }

  body(): unknown {
    const { value } = this.#body;
    return this.#source === undefined || !value ? value : this.#planned().first;
  }

  answered(facts: ResponseFacts | undefined): Eventually<Authorization | undefined> {
    const [source, sent] = [this.#source, this.#sent];
    if (source === undefined || sent === undefined || facts === undefined) return undefined;
    if (this.#isReplayed) source.settled(sent, facts.status, facts);
    return this.#isReplayed || facts.status < 400 ? undefined : this.#reauthorize(source, sent, facts);
  }

  async again(): Promise<unknown> {
    return unlessAborted(Promise.resolve(this.#planned().again()), this.#found.signal);
  }

  dispose(hasFailed?: boolean): void {
    this.#plan?.recording?.dispose(hasFailed);
  }

  #planned(): BodyPlan {
    return (this.#plan ??= planBody(this.#body, replayBytesOf(this.#source!)));
  }

  #begin(authorization: Authorization | undefined): Authorization | undefined {
    this.#replay = undefined;
    if (authorization === undefined) this.#source = undefined;
    return (this.#sent = authorization);
  }

  async #chooseAndAuthorize(resolve: TokenSourceResolver): Promise<Authorization | undefined> {
    const { url, method, native, signal } = this.#found;
    const { account } = this.#own;
    const resolved = Promise.resolve(resolve({ url, method, account, native }));
    const source = await unlessAborted(resolved, signal);
    if (source !== undefined && !isSource(source)) {
      throw invalidOption('tokens', 'a resolver of token sources', source);
    }
    this.#source = source;
    this.#resolve = undefined;
    return this.authorize();
  }

  async #reauthorize(
    source: TokenSource,
    sent: Authorization,
    facts: ResponseFacts,
  ): Promise<Authorization | undefined> {
    const { isOnce, signal, confinesHeaders } = this.#found;
    // A function: the first attempt may go on reading while the refresh is waited for.
    const replayable = (): boolean => !isOnce && this.#planned().isReplayable();
    const replay = await source.reauthorize(sent, facts, { replayable, signal, confinesHeaders });
    this.#replay = replay;
    if (replay === undefined) return undefined;
    this.#isReplayed = true;
    this.#planned().recording?.rewind();
    return (this.#sent = replay);
  }
}

/**
 * The steps of one request, for clients where no one function makes all attempts. What hooks and redirects may change
 * of `found` is read anew at each step: the adapter writes it there.
 */
export function guardRequest(adapter: Adapter, found: FoundRequest): GuardedRequest {
  return new Guard(adapter, found);
}
