import {
  guardRequest,
  type Adapter,
  type Authorization,
  type FoundRequest,
  type GuardedRequest,
} from '@unexpired/core';
import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { Attempt } from './attempt.ts';
import { seen, withAuthorization } from './headers.ts';

type Handler = Dispatcher.DispatchHandler;
type Controller = Dispatcher.DispatchController;
type Raw = NonNullable<Controller['rawHeaders']> | null;
type Rest<Name extends keyof Handler> =
  Parameters<Required<Handler>[Name]> extends [Controller, ...infer R] ? R : never;
type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>;
type Answered = ReturnType<GuardedRequest['answered']>;

export type Options = Dispatcher.DispatchOptions;

/** Marks what an adapter has sent, with its tokens: one that is attached twice sends once. */
export const SENT_FOR: unique symbol = Symbol('unexpired.sentFor');

const OLD_HANDLER =
  'This dispatcher was given a handler of an older undici, without onRequestStart: use the fetch of the same undici, or its Dispatcher1Wrapper';

/** undici reads anything that can be iterated. */
const asItIs = (recording: unknown): unknown => recording;

/** The retry and redirect interceptors put this around what is read once, so that it looks as if it were not. */
function unwrapped(body: unknown): unknown {
  if (body?.constructor?.name !== 'BodyAsyncIterable') return body;
  return (body as AsyncIterable<unknown>)[Symbol.asyncIterator]();
}

function foundOf(opts: Options, origin: string | URL | null | undefined, signal: AbortSignal): FoundRequest {
  const { hasAuthorization, contentLength } = seen(opts.headers);
  return {
    url: `${typeof origin === 'object' ? (origin?.origin ?? '') : (origin ?? '')}${opts.path}`,
    method: opts.method,
    hasAuthorization,
    signal,
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
  /** Undefined: that of the options. */
  readonly origin: string | null | undefined;
}

/** One request of the caller, and the controller that the caller is given: each attempt has another of its own. */
export class Call implements Controller {
  readonly handler: Handler;
  readonly #given: CallOptions;
  readonly #request: GuardedRequest;
  readonly #leaving = new AbortController();
  #attempt: Attempt | undefined;
  #dropped: Attempt | undefined;
  #isStarted = false;
  #isPaused = false;
  #isOver = false;
  #isReplay = false;

  constructor(given: CallOptions) {
    const { adapter, opts, origin = opts.origin } = given;
    this.#given = given;
    this.handler = given.handler;
    this.#request = guardRequest(adapter, foundOf(opts, origin, this.#leaving.signal));
  }

  /** Gives what `dispatch` gives. */
  run(): boolean {
    const { dispatch, opts, handler } = this.#given;
    const authorized = this.#request.authorize();
    if (authorized === undefined) return dispatch(opts, handler);
    if (typeof handler.onRequestStart !== 'function') throw new TypeError(OLD_HANDLER);
    // Its source may fail before anybody reads it.
    (opts.body as Partial<Readable> | null)?.on?.('error', (error: Error) => this.abort(error));
    if (!('then' in authorized)) return this.#send(authorized, this.#request.body());
    authorized
      .then((authorization) => void this.#send(authorization, this.#request.body()))
      .catch((error: unknown) => this.fail(error as Error));
    // Whoever has no controller cannot abort.
    this.#start(null);
    return true;
  }

  begin(controller: Controller, context: unknown): void {
    if (this.#isOver) controller.abort(this.reason!);
    else if (this.#isPaused) controller.pause();
    this.#start(context);
  }

  /** Whether it is not yet decided who gets this answer. */
  answered(attempt: Attempt, status: number, headers: ResponseHeaders): boolean {
    this.#dropped?.abandon(new Error('the request was answered by another attempt'));
    this.#dropped = undefined;
    const header = (name: string): string | undefined => headers[name.toLowerCase()]?.toString();
    const answered = this.#request.answered({ url: undefined, status, header });
    if (answered === undefined) {
      this.#request.dispose();
      return false;
    }
    void this.#decide(attempt, answered);
    return true;
  }

  upgraded(...told: Rest<'onRequestUpgrade'>): void {
    this.#isOver = true;
    this.#request.dispose();
    return this.handler.onRequestUpgrade?.(this, ...told);
  }

  end(...told: Rest<'onResponseEnd'>): void {
    this.#isOver = true;
    this.handler.onResponseEnd?.(this, ...told);
  }

  fail(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#request.dispose(true);
    this.#dropped?.abandon(error);
    this.handler.onResponseError?.(this, error);
  }

  abort(reason?: Error): void {
    if (this.#isOver) return;
    this.#leaving.abort(reason);
    this.#attempt?.abandon(this.reason!);
    this.fail(this.reason!);
  }

  pause(): void {
    this.#isPaused = true;
    this.#attempt?.controller?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#attempt?.flow();
  }

  get aborted(): boolean {
    return this.#leaving.signal.aborted;
  }

  get reason(): Error | null {
    return (this.#leaving.signal.reason as Error | undefined) ?? null;
  }

  get paused(): boolean {
    return this.#isPaused;
  }

  get rawHeaders(): Raw {
    return this.#attempt?.controller?.rawHeaders ?? null;
  }

  get rawTrailers(): Raw {
    return this.#attempt?.controller?.rawTrailers ?? null;
  }

  #start(context: unknown): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.handler.onRequestStart?.(this, context);
  }

  #send(authorization: Authorization | undefined, body: unknown): boolean {
    // Whoever left while the token was waited for has been told.
    if (this.#isOver) return true;
    const { adapter, dispatch, opts } = this.#given;
    this.#attempt = new Attempt(this);
    if (authorization === undefined) return dispatch(opts, this.#attempt);
    // The length of the body before.
    const isMade = this.#isReplay && opts.unexpired?.body !== undefined;
    const headers = withAuthorization(opts.headers, authorization, isMade ? 'content-length' : '');
    const changed = { ...opts, headers, body, [SENT_FOR]: adapter.tokens } as Options;
    return dispatch(changed, this.#attempt);
  }

  async #decide(attempt: Attempt, answered: Answered): Promise<void> {
    try {
      const authorization = await answered;
      if (this.#isOver) return attempt.drop();
      if (authorization === undefined) {
        this.#request.dispose();
        return attempt.release();
      }
      attempt.drop();
      this.#dropped = attempt;
      this.#isReplay = true;
      this.#send(authorization, await this.#request.again());
    } catch (error) {
      this.fail(error as Error);
    }
  }
}
