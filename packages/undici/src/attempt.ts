import type { Dispatcher } from 'undici';
import type { Call } from './call.ts';

type Handler = Required<Dispatcher.DispatchHandler>;
type Controller = Dispatcher.DispatchController;
type Told<Name extends keyof Handler> = Parameters<Handler[Name]>;

/** So much of a response is read while it is not decided whose it is; beyond it, its connection waits. */
const HELD_BYTES = 64 * 1024;

/** A response that nobody gets is read to its end up to this length: that keeps its connection. */
const DRAINED_BYTES = 256 * 1024;

const WRONG_ORDER =
  'undiciAuth must come before the interceptors that send again: dispatcher.compose(undiciAuth(tokens), interceptors.retry(), interceptors.redirect())';

/** They would send the access token of the first attempt again, and a header of its own to other origins. */
function sendsAgain(controller: Controller, context: unknown): boolean {
  const { history } = (context ?? {}) as { history?: unknown };
  return Array.isArray(history) || controller.constructor.name === 'RetryController';
}

/** What comes of one dispatch. */
export class Attempt implements Handler {
  readonly #call: Call;
  /** Undefined until it begins. */
  controller: Controller | undefined;
  /** What came while it is not decided who gets it. */
  #held: (() => void)[] | undefined;
  #bytes = 0;
  #isUndecided = false;
  #isDropped = false;
  #isEnded = false;
  #isFlowing = false;

  constructor(call: Call) {
    this.#call = call;
  }

  /** The caller gets it. */
  release(): void {
    this.#isUndecided = false;
    this.flow();
  }

  /** Goes on as fast as the caller takes it. */
  flow(): void {
    // Whoever reads what it is given may resume from inside.
    if (this.#isUndecided || this.#isFlowing) return;
    this.#isFlowing = true;
    try {
      while (this.#held?.length && !this.#call.paused) this.#held.shift()!();
    } catch (error) {
      this.#call.abort(error as Error);
    }
    this.#isFlowing = false;
    if (this.#call.paused) return;
    this.#held = undefined;
    this.controller?.resume();
  }

  /** Nobody gets it. */
  drop(): void {
    this.#isDropped = true;
    this.#held = undefined;
    this.controller?.resume();
  }

  /** The rest of it is not waited for. */
  abandon(reason: Error): void {
    if (!this.#isEnded) this.controller?.abort(reason);
  }

  onRequestStart(...[controller, context]: Told<'onRequestStart'>): void {
    this.controller = controller;
    if (sendsAgain(controller, context)) this.#call.abort(new TypeError(WRONG_ORDER));
    else this.#call.begin(controller, context);
  }

  onRequestUpgrade(...[, status, headers, socket]: Told<'onRequestUpgrade'>): void {
    return this.#call.upgraded(status, headers, socket);
  }

  onResponseStart(...[, status, headers, message]: Told<'onResponseStart'>): void {
    if (this.#isDropped) return;
    const { handler } = this.#call;
    const tell = (): void => handler.onResponseStart?.(this.#call, status, headers, message);
    this.#isUndecided = status >= 200 && this.#call.answered(this, status, headers);
    if (this.#isUndecided) this.#held = [tell];
    else tell();
  }

  onResponseData(...[controller, chunk]: Told<'onResponseData'>): void {
    const { handler } = this.#call;
    if (!this.#isDropped && this.#held === undefined) return handler.onResponseData?.(this.#call, chunk);
    this.#bytes += chunk.byteLength;
    if (this.#isDropped) {
      if (this.#bytes > DRAINED_BYTES) this.abandon(new Error('this response is too long to be discarded'));
      return;
    }
    this.#held?.push(() => handler.onResponseData?.(this.#call, chunk));
    if (this.#bytes > HELD_BYTES) controller.pause();
  }

  onResponseEnd(...[, trailers]: Told<'onResponseEnd'>): void {
    this.#isEnded = true;
    this.#tell(() => this.#call.end(trailers));
  }

  onResponseError(...[, error]: Told<'onResponseError'>): void {
    this.#isEnded = true;
    this.#tell(() => this.#call.fail(error));
  }

  onResponseStarted(): void {
    this.#call.handler.onResponseStarted?.();
  }

  onBodySent(...[chunk]: Told<'onBodySent'>): void {
    this.#call.handler.onBodySent?.(chunk);
  }

  onRequestSent(): void {
    this.#call.handler.onRequestSent?.();
  }

  #tell(event: () => void): void {
    if (this.#isDropped) return;
    if (this.#held === undefined) event();
    else this.#held.push(event);
  }
}
