import { Readable } from 'node:stream';
import { ReadableStream } from 'node:stream/web';
import { isAxiosError, type AxiosInstance } from 'axios';
import type { Arrival } from './api.ts';
import type { Body } from './bodies.ts';
import type { Clients } from './clients.ts';

/** No caller waits longer. */
const DEADLINE_MS = 30_000;

/** How a call ended for its caller; `code` names what went wrong where there was no answer. */
export type Outcome =
  | { readonly status: number; readonly arrival: Partial<Arrival> }
  | { readonly status: undefined; readonly code: string };

/** One call with one of the clients: a POST where there is a body, else a GET. It never rejects. */
export type Send = (url: string, body?: Body) => Promise<Outcome>;

function codeOf(error: unknown): string {
  const { code, name, cause } = error as { code?: string | number; name?: string; cause?: { code?: string } };
  return (typeof code === 'string' && code) || cause?.code || name || 'Error';
}

const NAME_OF_STREAM = { 'content-type': 'application/octet-stream' };

export function throughAxios(client: AxiosInstance): Send {
  function dataOf(body: Body): object {
    switch (body.kind) {
      case 'json':
        return { data: body.value };
      case 'multipart':
        return { data: body.form };
      case 'stream':
        return { data: Readable.from(body.chunks(), { objectMode: false }), headers: NAME_OF_STREAM };
      case 'reopened': {
        const open = (): Readable => Readable.from(body.chunks(), { objectMode: false });
        return { data: open(), headers: NAME_OF_STREAM, unexpired: { body: open } };
      }
    }
  }
  return async (url, body) => {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const request = { url, signal, method: body ? 'POST' : 'GET', ...(body && dataOf(body)) };
    try {
      const { status, data } = await client.request<Arrival>(request);
      return { status, arrival: data };
    } catch (error) {
      if (isAxiosError(error) && error.response) return { status: error.response.status, arrival: {} };
      return { status: undefined, code: codeOf(error) };
    }
  };
}

export function throughFetch(send: Clients['fetch']): Send {
  function initOf(body: Body): object {
    switch (body.kind) {
      case 'json':
        return { body: JSON.stringify(body.value), headers: { 'content-type': 'application/json' } };
      case 'multipart':
        return { body: body.form };
      case 'stream':
        return { body: ReadableStream.from(body.chunks()), duplex: 'half', headers: NAME_OF_STREAM };
      case 'reopened': {
        const open = (): ReadableStream => ReadableStream.from(body.chunks());
        return { body: open(), duplex: 'half', headers: NAME_OF_STREAM, unexpired: { body: open } };
      }
    }
  }
  return async (url, body) => {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    try {
      const response = await send(url, { signal, ...(body && { method: 'POST', ...initOf(body) }) });
      const text = await response.text();
      return { status: response.status, arrival: response.ok ? (JSON.parse(text) as Arrival) : {} };
    } catch (error) {
      return { status: undefined, code: codeOf(error) };
    }
  };
}
