import { Readable } from 'node:stream';
import { isAxiosError, type AxiosInstance, type AxiosRequestConfig } from 'axios';
import { HTTPError as GotError, type Got } from 'got';
import { HTTPError as KyError, type KyInstance } from 'ky';

export interface Sent {
  readonly url: string;
  readonly json?: object;
  /** The same as `json`, wrapped by a transform that the program has set (axios only). */
  readonly wrapped?: object;
  readonly chunks?: readonly string[];
  readonly signal?: AbortSignal;
}

/** Sends one request: the status that the caller gets, or undefined for an error without one. */
export type Send = (sent: Sent) => Promise<number | undefined>;

// One way to make each client send. `onRequest` is the program's own interceptor or hook.

export function axios(api: AxiosInstance, onRequest: () => void): Send {
  api.interceptors.request.use((config) => {
    onRequest();
    return config;
  });
  return async ({ url, json, wrapped, chunks, signal }) => {
    const data = chunks ? Readable.from(chunks) : (json ?? wrapped);
    const config: AxiosRequestConfig = { url, method: data === undefined ? 'GET' : 'POST', data };
    if (signal) config.signal = signal;
    if (wrapped) config.transformRequest = (value) => JSON.stringify({ wrapped: value });
    return api.request(config).then(
      ({ status }) => status,
      (error: unknown) => (isAxiosError(error) ? error.response?.status : undefined),
    );
  };
}

export function ky(given: KyInstance, onRequest: () => void): Send {
  const api = given.extend({ hooks: { beforeRequest: [onRequest] } });
  return async ({ url, json, chunks, signal = null }) => {
    const body = chunks && {
      body: Readable.toWeb(Readable.from(chunks.map((chunk) => Buffer.from(chunk)))) as never,
    };
    const method = chunks || json ? 'POST' : 'GET';
    return api(url, { method, signal, ...(json && { json }), ...body }).then(
      ({ status }) => status,
      (error: unknown) => (error instanceof KyError ? error.response.status : undefined),
    );
  };
}

export function got(given: Got, onRequest: () => void): Send {
  const api = given.extend({ hooks: { beforeRequest: [onRequest] } });
  return async ({ url, json, chunks, signal }) => {
    const body = chunks && { body: Readable.from(chunks) };
    const method = chunks || json ? 'POST' : 'GET';
    return api(new URL(url), { method, ...(signal && { signal }), ...(json && { json }), ...body }).then(
      ({ statusCode }) => statusCode,
      (error: unknown) => (error instanceof GotError ? error.response.statusCode : undefined),
    );
  };
}
