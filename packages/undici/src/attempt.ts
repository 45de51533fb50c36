import type { Dispatcher } from 'undici';
import type { Call } from './call.ts';

type Handler = Required<Dispatcher.DispatchHandler>;
type Controller = Dispatcher.DispatchController;
type Headers = Parameters<Handler['onResponseStart']>[2];

/** So much of an answer is read while it is not decided who gets it; beyond it, its connection waits. */
const HELD_BYTES = 64 * 1024;

/** An answer that nobody gets is read to its end up to this length: that keeps its connection. */
const DRAINED_BYTES = 256 * 1024;

const WRONG_ORDER =
  'undiciAuth must come before what sends again: compose(undiciAuth(tokens), interceptors.retry())';

/** They would send the first attempt's access token again, and a fallback's header to other origins. */
function sendsAgain(controller: Controller, context: { history?: unknown } | null): boolean {
  return Array.isArray(context?.history) || controller.constructor.name === 'RetryController';
}

/** What comes of one dispatch. */
export class Attempt implements Handler {
  readonly #call: Call;
  /** Who gets the answer. */
  #fate: 'caller' | 'undecided' | 'nobody' = 'caller';
  /** What the caller is still to be told. */
  #held: (() => void)[] = [];
  #isTelling = false;
  #bytes = 0;
  #isEnded = false;
  /** Undefined until it begins. */
  controller: Controller | undefined;

  constructor(call: Call) {
    this.#call = call;
  }

  decide(fate: 'caller' | 'nobody'): void {
    this.#fate = fate;
    if (fate === 'nobody') this.#held = [];
    this.flow();
  }

  /** As fast as the caller takes it. */
  flow(): void {
    // The caller may resume while it is told.
    if (this.#fate === 'undecided' || this.#isTelling) return;
    this.#isTelling = true;
    try {
      while (this.#held.length > 0 && !this.#call.paused) this.#held.shift()!();
    } catch (error) {
      // undici does so too: a retry throws the answer that it does not want.
      this.abandon(error as Error);
      this.#call.fail(error as Error);
    } finally {
      this.#isTelling = false;
    }
    if (this.#isPaused()) this.controller?.pause();
    // Once it has ended, another request may have its connection.
    else if (!this.#isEnded) this.controller?.resume();
  }

  /** What nobody gets is not in the caller's hands. */
  #isPaused(): boolean {
    return this.#fate === 'caller' && this.#call.paused;
  }

  /** The rest of it is not waited for. */
  abandon(reason: Error = new Error('discarded')): void {
    this.#held = [];
    if (!this.#isEnded) this.controller?.abort(reason);
  }

  #tell(event: () => void, waits = false): void {
    if (this.#fate === 'caller' && !waits && this.#held.length === 0) event();
    else if (this.#fate !== 'nobody') this.#held.push(event);
  }

  onRequestStart(controller: Controller, context: { history?: unknown } | null): void {
    this.controller = controller;
    if (sendsAgain(controller, context)) this.#call.abort(new TypeError(WRONG_ORDER));
    this.#call.begin(controller, context);
  }

  onRequestUpgrade(...told: Parameters<Handler['onRequestUpgrade']>): void {
    return this.#call.upgraded(...told);
  }

  // Here and below no rest parameters: an array for each call shows in what a request costs.
  // oxlint-disable-next-line max-params -- undici calls it so
  onResponseStart(controller: Controller, status: number, headers: Headers, message?: string): void {
    const call = this.#call;
    if (status >= 200 && call.answered(this, status, headers)) this.#fate = 'undecided';
    this.#tell(() => {
      call.rawHeaders = controller.rawHeaders ?? null;
      call.handler.onResponseStart?.(call, status, headers, message);
    });
    // It may have paused before there was an attempt.
    if (this.#isPaused()) controller.pause();
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    const call = this.#call;
    // undici gives one chunk more to who pauses outside of a call.
    this.#tell(() => call.handler.onResponseData?.(call, chunk), call.paused);
    if (this.#fate === 'caller') return;
    this.#bytes += chunk.byteLength;
    const isTooLong = this.#bytes > (this.#fate === 'undecided' ? HELD_BYTES : DRAINED_BYTES);
    if (!isTooLong) return;
    if (this.#fate === 'undecided') controller.pause();
    else this.abandon();
  }

  onResponseEnd(controller: Controller, trailers: Headers): void {
    this.#isEnded = true;
    this.#tell(() => this.#call.end(controller, trailers));
  }

  onResponseError(_: Controller, error: Error): void {
    this.#isEnded = true;
    this.#tell(() => this.#call.fail(error));
  }

  onResponseStarted(): void {
    this.#call.handler.onResponseStarted?.();
  }

  onBodySent(chunk: Buffer): void {
    this.#call.handler.onBodySent?.(chunk);
  }

  onRequestSent(): void {
    this.#call.handler.onRequestSent?.();
  }
}
