import http from 'node:http';
import https from 'node:https';
import { Readable, Writable } from 'node:stream';
import axios, { AxiosHeaders, type InternalAxiosRequestConfig } from 'axios';
import { Agent, type Dispatcher } from 'undici';

export interface Asked {
  readonly url: string;
  readonly authorization: string | undefined;
}

export interface Reply {
  readonly status: number;
  readonly body?: string;
}

export type Network = (asked: Asked) => Reply | Promise<Reply>;

const HEADERS = { 'content-type': 'application/json' };

/** What got asks of a native request. */
class StubRequest extends Writable {
  readonly #reply: () => Reply | Promise<Reply>;

  constructor(reply: () => Reply | Promise<Reply>) {
    super({ autoDestroy: false, emitClose: false });
    this.#reply = reply;
  }

  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
  }

  override _final(done: () => void): void {
    done();
    void this.#respond();
  }

  setTimeout(): this {
    return this;
  }

  async #respond(): Promise<void> {
    const { status: statusCode, body } = await this.#reply();
    const head = { headers: HEADERS, rawHeaders: [], trailers: {}, rawTrailers: [], httpVersion: '1.1' };
    const content = Readable.from(body === undefined ? [] : [Buffer.from(body)]);
    this.emit('response', Object.assign(content, head, { statusCode, complete: true }));
  }
}

function stubAxios(network: Network): void {
  axios.defaults.adapter = async (config: InternalAxiosRequestConfig) => {
    const authorization = config.headers.get('authorization')?.toString();
    const { status, body } = await network({ url: config.url ?? '', authorization });
    const head = { statusText: '', headers: new AxiosHeaders(HEADERS), config, request: {} };
    const response = { ...head, status, data: body };
    if (config.validateStatus?.(status) !== false) return response;
    throw new axios.AxiosError('refused', undefined, config, {}, response);
  };
}

function stubHttp(network: Network): void {
  const request = (url: unknown, { headers }: http.RequestOptions): StubRequest => {
    const { authorization } = headers as http.OutgoingHttpHeaders;
    return new StubRequest(() => network({ url: String(url), authorization: authorization?.toString() }));
  };
  Object.assign(http, { request });
  Object.assign(https, { request });
}

function stubFetch(network: Network): void {
  globalThis.fetch = async (input, init) => {
    // The real one begins with it, too: what it costs to hand over headers counts.
    const { url, headers } = new Request(input, init);
    const { status, body } = await network({ url, authorization: headers.get('authorization') ?? undefined });
    return new Response(body ?? null, { status, headers: HEADERS });
  };
}

/** Who reads an answer at once neither pauses nor aborts it. */
const NO_CONTROLS = {
  aborted: false,
  paused: false,
  reason: null,
  rawHeaders: null,
  rawTrailers: null,
  abort: () => undefined,
  pause: () => undefined,
  resume: () => undefined,
};

function stubUndici(network: Network): void {
  async function answer(
    opts: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ): Promise<void> {
    const authorization = new Headers(opts.headers as Record<string, string>).get('authorization');
    const url = `${String(opts.origin)}${opts.path}`;
    handler.onRequestStart?.(NO_CONTROLS, {});
    const { status, body } = await network({ url, authorization: authorization ?? undefined });
    handler.onResponseStart?.(NO_CONTROLS, status, HEADERS, '');
    if (body !== undefined) handler.onResponseData?.(NO_CONTROLS, Buffer.from(body));
    handler.onResponseEnd?.(NO_CONTROLS, {});
  }
  Agent.prototype.dispatch = (opts, handler) => {
    void answer(opts, handler);
    return true;
  };
}

/** Puts answers in the place of the network, below axios, got, undici, and all that uses fetch. For a process of its own. */
export function stubNetwork(network: Network): void {
  stubAxios(network);
  stubHttp(network);
  stubFetch(network);
  stubUndici(network);
}
