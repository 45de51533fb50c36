import http from 'node:http';
import https from 'node:https';
import { Readable, Writable } from 'node:stream';
import axios, { AxiosHeaders, type InternalAxiosRequestConfig } from 'axios';

/** The status for a request with this Authorization header. */
export type Answer = (authorization: string | undefined) => number | Promise<number>;

/** What got asks of a native request. */
class StubRequest extends Writable {
  readonly #answer: () => number | Promise<number>;

  constructor(answer: () => number | Promise<number>) {
    super({ autoDestroy: false, emitClose: false });
    this.#answer = answer;
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
    const head = { headers: {}, rawHeaders: [], trailers: {}, rawTrailers: [], httpVersion: '1.1' };
    const statusCode = await this.#answer();
    this.emit('response', Object.assign(Readable.from([]), head, { statusCode, complete: true }));
  }
}

function stubAxios(answer: Answer): void {
  axios.defaults.adapter = async (config: InternalAxiosRequestConfig) => {
    const status = await answer(config.headers.get('authorization')?.toString());
    const response = { data: '', status, statusText: '', headers: new AxiosHeaders(), config, request: {} };
    if (config.validateStatus?.(status) !== false) return response;
    throw new axios.AxiosError('refused', undefined, config, {}, response);
  };
}

function stubHttp(answer: Answer): void {
  const request = ((_url: unknown, { headers }: http.RequestOptions) => {
    const authorization = (headers as Record<string, string>)['authorization'];
    return new StubRequest(() => answer(authorization));
  }) as unknown as typeof http.request;
  Object.assign(http, { request });
  Object.assign(https, { request });
}

function stubFetch(answer: Answer): void {
  globalThis.fetch = async (input, init) => {
    // The real one begins with it, too: what it costs to hand over headers counts.
    const { headers } = new Request(input, init);
    return new Response(null, { status: await answer(headers.get('authorization') ?? undefined) });
  };
}

/** Puts an answer in the place of the network, below axios, got, and all that uses fetch. For a process of its own. */
export function stubNetwork(answer: Answer = () => 200): void {
  stubAxios(answer);
  stubHttp(answer);
  stubFetch(answer);
}
