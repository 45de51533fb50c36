import type { Readable } from 'node:stream';
import {
  guardRequest,
  type Adapter,
  type Authorization,
  type FoundRequest,
  type GuardedRequest,
} from '@unexpired/core';
import type { Dispatcher } from 'undici';
import { Attempt } from './attempt.ts';
import { seen, withAuthorization } from './headers.ts';

type Options = Dispatcher.DispatchOptions;
type Handler = Dispatcher.DispatchHandler;
type Controller = Dispatcher.DispatchController;
type Raw = NonNullable<Controller['rawHeaders']> | null;
type ResponseHeaders = Parameters<Required<Handler>['onResponseStart']>[2];
type Upgrade = Parameters<Required<Handler>['onRequestUpgrade']>;

/** Marks what an adapter has sent, with its tokens: one that is attached twice sends once. */
export const SENT_FOR: unique symbol = Symbol('unexpired.sentFor');

const OLD_HANDLER =
  'This handler is of an older undici: use the fetch of this one, or a Dispatcher1Wrapper around the dispatcher';

/** undici reads whatever can be iterated. */
const asItIs = (recording: unknown): unknown => recording;

/** The interceptors that send again put an iterable around a body, which hides that it can be read once. */
function unwrapped(body: unknown): unknown {
  if (body?.constructor?.name !== 'BodyAsyncIterable') return body;
  return (body as AsyncIterable<unknown>)[Symbol.asyncIterator]();
}

type Found = FoundRequest & { signal?: AbortSignal };

function foundOf(opts: Options, origin: string | URL | null | undefined): Found {
  const { hasAuthorization, contentLength } = seen(opts.headers);
  return {
    url: `${(typeof origin === 'object' ? origin?.origin : origin) ?? ''}${opts.path}`,
    method: opts.method,
    hasAuthorization,
    body: { value: unwrapped(opts.body), contentLength, size: contentLength, toClientBody: asItIs },
    options: opts.unexpired,
    native: opts,
  };
}

export interface CallOptions {
  readonly adapter: Adapter;
  readonly dispatch: Dispatcher.Dispatch;
  readonly opts: Options;
  readonly handler: Handler;
  /** Undefined: that of `opts`. */
  readonly origin: string | null | undefined;
}

/** One request of the caller, who has it for a controller: each attempt has another of its own. */
export class Call implements Controller {
  readonly handler: Handler;
  readonly #given: CallOptions;
  readonly #found: Found;
  readonly #request: GuardedRequest;
  #leaving: AbortController | undefined;
  #attempt: Attempt | undefined;
  #discarded: Attempt | undefined;
  #isStarted = false;
  /** Nothing is left to abort, but who is told of the end may still throw. */
  #isWhole = false;
  #isOver = false;
  #onBodyError: ((error: Error) => void) | undefined;

  aborted = false;
  paused = false;
  reason: Error | null = null;
  rawHeaders: Raw = null;
  rawTrailers: Raw = null;

  constructor(given: CallOptions) {
    const { adapter, opts, origin = opts.origin } = given;
    this.#given = given;
    this.handler = given.handler;
    this.#found = foundOf(opts, origin);
    this.#request = guardRequest(adapter, this.#found);
  }

  /** Gives what `dispatch` gives. */
  run(): boolean {
    const { dispatch, opts, handler } = this.#given;
    const authorized = this.#request.authorize();
    if (authorized === undefined) return dispatch(opts, handler);
    if (typeof handler.onRequestStart !== 'function') throw new TypeError(OLD_HANDLER);
    // A stream may fail before anybody reads it.
    const body = opts.body as Partial<Readable> | undefined;
    if (typeof body?.on === 'function') body.on('error', (this.#onBodyError = (error) => this.abort(error)));
    if (!('then' in authorized)) return this.#send(authorized, this.#request.body());
    authorized
      .then((authorization) => void this.#send(authorization, this.#request.body()))
      .catch((error: unknown) => this.fail(error as Error));
    try {
      // Who has no controller yet cannot abort.
      this.begin(undefined, null);
    } catch (error) {
      this.abort(error as Error);
    }
    return true;
  }

  #send(authorization: Authorization | undefined, body: unknown): boolean {
    // Who left while it was waited for has been told.
    if (this.#isOver) return true;
    const { adapter, dispatch, opts } = this.#given;
    this.#attempt = new Attempt(this);
    if (authorization === undefined) return dispatch(opts, this.#attempt);
    // The length of the body before.
    const isMade = this.#discarded !== undefined && opts.unexpired?.body !== undefined;
    const headers = withAuthorization(opts.headers, authorization, isMade ? 'content-length' : '');
    const changed = { ...opts, headers, body, [SENT_FOR]: adapter.tokens } as Options;
    return dispatch(changed, this.#attempt);
  }

  begin(controller: Controller | undefined, context: unknown): void {
    if (this.#isOver) return controller?.abort(this.reason!);
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.handler.onRequestStart?.(this, context);
  }

  /** Whether it is not decided yet who gets this answer. */
  answered(attempt: Attempt, status: number, headers: ResponseHeaders): boolean {
    this.#discarded?.abandon();
    // Before, nothing has to be told of an abort: what would come of the wait is left unused.
    if (status >= 400) this.#found.signal = (this.#leaving ??= new AbortController()).signal;
    const header = (name: string): string | undefined => headers[name.toLowerCase()]?.toString();
    const authorized = this.#request.answered({ url: undefined, status, header });
    if (authorized === undefined) this.#request.dispose();
    else this.#decide(attempt, authorized).catch((error: unknown) => this.fail(error as Error));
    return authorized !== undefined;
  }

  async #decide(attempt: Attempt, authorized: ReturnType<GuardedRequest['answered']>): Promise<void> {
    const authorization = await authorized;
    if (this.#isOver) return;
    attempt.decide(authorization === undefined ? 'caller' : 'nobody');
    if (authorization === undefined) return this.#request.dispose();
    this.#discarded = attempt;
    this.#send(authorization, await this.#request.again());
  }

  upgraded(...[controller, ...told]: Upgrade): void {
    this.#isOver = true;
    this.#request.dispose();
    this.rawHeaders = controller.rawHeaders ?? null;
    return this.handler.onRequestUpgrade?.(this, ...told);
  }

  end(controller: Controller, trailers: ResponseHeaders): void {
    this.rawTrailers = controller.rawTrailers ?? null;
    this.#isWhole = true;
    this.handler.onResponseEnd?.(this, trailers);
    this.#isOver = true;
  }

  fail(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    // A retry may still need a body that nobody has read.
    this.#request.dispose(this.aborted);
    const { body } = this.#given.opts;
    if (this.#onBodyError && !this.aborted) (body as Readable).off('error', this.#onBodyError);
    this.#discarded?.abandon(error);
    this.handler.onResponseError?.(this, error);
  }

  abort(reason?: Error): void {
    if (this.#isWhole || this.#isOver) return;
    (this.#leaving ??= new AbortController()).abort(reason);
    this.aborted = true;
    this.reason = this.#leaving.signal.reason as Error;
    this.#attempt?.abandon(this.reason);
    this.fail(this.reason);
  }

  pause(): void {
    this.paused = true;
    this.#attempt?.controller?.pause();
  }

  resume(): void {
    this.paused = false;
    this.#attempt?.flow();
  }
}
