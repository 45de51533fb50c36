import { Readable } from 'node:stream';
import { axiosAuth } from '@unexpired/axios';
import { explain401, type RequestOptions, type TokenSource } from '@unexpired/core';
import { fetchAuth } from '@unexpired/fetch';
import { gotAuth } from '@unexpired/got';
import { kyAuth } from '@unexpired/ky';
import axios, { type AxiosError, type AxiosResponse } from 'axios';
import got, { type RequestError, type Response as GotResponse } from 'got';
import ky, { type HTTPError } from 'ky';

export interface CanaryRequest {
  readonly url: string;
  readonly signal?: AbortSignal | undefined;
  /** Sends a body that can be read once. */
  readonly streams?: boolean | undefined;
  readonly unexpired?: RequestOptions | undefined;
}

/** A client with its adapter, and what its user could log of each request, be it answered or not. */
export interface CanaryClient {
  readonly shows: unknown;
  readonly send: (request: CanaryRequest) => Promise<unknown[]>;
}

const methodOf = ({ streams }: CanaryRequest): 'POST' | 'GET' => (streams ? 'POST' : 'GET');

/** Of this, the native requests that axios and got lay open themselves are no part. */
function shownOfAxios(result: AxiosResponse | AxiosError): unknown[] {
  if (result instanceof Error) return [result, result.cause, result.config, result.response?.headers];
  const { request, ...others } = result;
  return [others];
}

const axiosClient =
  (adapter: 'http' | 'fetch') =>
  (tokens: TokenSource): CanaryClient => {
    const client = axios.create({ adapter });
    client.interceptors.request.use(axiosAuth(tokens));
    return {
      shows: client,
      async send(request) {
        const { url, signal, streams, unexpired } = request;
        const data = streams ? Readable.from(['a', 'b']) : undefined;
        const sent = client.request({ url, method: methodOf(request), data, signal: signal!, unexpired });
        const result = await sent.catch((error: AxiosError) => error);
        return [...shownOfAxios(result), explain401(result)];
      },
    };
  };

/** What both adapters over fetch take. */
function initOf(request: CanaryRequest): RequestInit & { duplex: 'half' } {
  const body = request.streams ? new Blob(['a', 'b']).stream() : null;
  return { method: methodOf(request), body, signal: request.signal ?? null, duplex: 'half' };
}

function kyClient(tokens: TokenSource): CanaryClient {
  const client = ky.create({ retry: 0, timeout: false }).extend(kyAuth(tokens));
  return {
    shows: client,
    async send(request) {
      const { url, unexpired } = request;
      const sent = client(url, { ...initOf(request), context: { unexpired } });
      const result = await sent.catch((error: HTTPError) => error);
      const { request: native, options } = result as Partial<HTTPError>;
      return [result, native && [...native.headers], options, explain401(result)];
    },
  };
}

function gotClient(tokens: TokenSource): CanaryClient {
  const client = got.extend({ retry: { limit: 0 } }, gotAuth(tokens));
  return {
    shows: [client, client.defaults],
    async send(request) {
      const { url, signal, streams, unexpired } = request;
      const body = streams ? Readable.from(['a', 'b']) : undefined;
      const options = { method: methodOf(request), signal: signal!, body: body!, context: { unexpired } };
      const result: unknown = await client(url, options).catch((error: RequestError) => error);
      if (!(result instanceof Error)) {
        const { request: native, headers, body: text } = result as GotResponse;
        return [native.options, native.options.headers, headers, text, explain401(result)];
      }
      const { options: own, request: native, response, cause } = result as RequestError;
      const all = [own, native?.options, response?.request.options];
      return [result, cause, ...all, ...all.map((each) => each?.headers), explain401(result)];
    },
  };
}

function fetchClient(tokens: TokenSource): CanaryClient {
  const client = fetchAuth(tokens);
  return {
    shows: client,
    async send(request) {
      const init = { ...initOf(request), unexpired: request.unexpired };
      const result = await client(request.url, init).catch((error: unknown) => error);
      return [result, init, explain401(result as object)];
    },
  };
}

/** Every client that has an adapter, and each of its ways to send. */
export const CANARY_CLIENTS = {
  'axios (http)': axiosClient('http'),
  'axios (fetch)': axiosClient('fetch'),
  ky: kyClient,
  got: gotClient,
  fetch: fetchClient,
};
