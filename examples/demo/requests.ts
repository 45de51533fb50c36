import { Readable } from 'node:stream';
import { ReadableStream } from 'node:stream/web';
import type { RequestOptions } from '@unexpired/core';
import axios from 'axios';
import got from 'got';
import ky from 'ky';
import type { Arrival } from './api.ts';
import type { Body, Chunks } from './bodies.ts';
import { VIA, type ClientName, type Clients } from './clients.ts';

/** No caller waits longer. */
const DEADLINE_MS = 30_000;

/** How a call ended for its caller; `code` names what went wrong where there was no answer. */
export type Outcome =
  | { readonly status: number; readonly arrival: Partial<Arrival> }
  | { readonly status: undefined; readonly code: string };

/** One call with one of the clients: a POST where there is a body, else a GET. It never rejects. */
export type Send = (url: string, body?: Body) => Promise<Outcome>;

function outcomeOf(error: unknown): Outcome {
  const { response, code, name, cause } = error as Error & {
    response?: { status?: number; statusCode?: number };
    code?: string | number;
    cause?: { code?: string };
  };
  const status = response?.status ?? response?.statusCode;
  if (status !== undefined) return { status, arrival: {} };
  return { status, code: (typeof code === 'string' && code) || cause?.code || name || 'Error' };
}

function sendWith(call: (url: string, body: Body | undefined) => Promise<Outcome>): Send {
  return (url, body) => call(url, body).catch(outcomeOf);
}

const nodeStream = (chunks: Chunks): Readable => Readable.from(chunks(), { objectMode: false });
// The same stream has two types.
const webStream = (chunks: Chunks): globalThis.ReadableStream =>
  ReadableStream.from(chunks()) as globalThis.ReadableStream;

interface Init<Stream> {
  readonly method: 'GET' | 'POST';
  readonly signal: AbortSignal;
  readonly headers: Record<string, string>;
  readonly json?: object;
  readonly body?: FormData | Stream;
  readonly unexpired?: RequestOptions;
}

/** What is sent, near to the form in which all clients take it; `open` makes the kind of stream that this one does. */
function initOf<Stream>(
  client: ClientName,
  body: Body | undefined,
  open: (chunks: Chunks) => Stream,
): Init<Stream> {
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const headers = { [VIA]: client };
  if (body === undefined) return { method: 'GET', signal, headers };
  const post = { method: 'POST', signal } as const;
  const typed = (type: string): Record<string, string> => ({ ...headers, 'content-type': type });
  switch (body.kind) {
    case 'json':
      return { ...post, headers: typed('application/json'), json: body.value };
    case 'multipart':
      return { ...post, headers, body: body.form };
    case 'stream':
      return { ...post, headers: typed('application/octet-stream'), body: open(body.chunks) };
    case 'reopened': {
      const reopen = (): Stream => open(body.chunks);
      const unexpired = { body: reopen };
      return { ...post, headers: typed('application/octet-stream'), body: reopen(), unexpired };
    }
  }
}

function throughAxios(client: Clients['axios']): Send {
  return sendWith(async (url, body) => {
    const { json, body: data = json, ...init } = initOf('axios', body, nodeStream);
    const response = await client.request<Arrival>({ ...init, url, data });
    return { status: response.status, arrival: response.data };
  });
}

function throughKy(client: Clients['ky']): Send {
  return sendWith(async (url, body) => {
    const { unexpired, ...init } = initOf('ky', body, webStream);
    const response = await client<Arrival>(url, { ...init, context: { unexpired }, timeout: false });
    return { status: response.status, arrival: await response.json() };
  });
}

function throughGot(client: Clients['got']): Send {
  return sendWith(async (url, body) => {
    const { unexpired, ...init } = initOf('got', body, nodeStream);
    const response = await client<Arrival>(url, { ...init, context: { unexpired }, responseType: 'json' });
    return { status: response.statusCode, arrival: response.body };
  });
}

function throughFetch(send: Clients['fetch']): Send {
  return sendWith(async (url, body) => {
    const { json, ...init } = initOf('fetch', body, webStream);
    const text = json && { body: JSON.stringify(json) };
    const half = { duplex: 'half' };
    const response = await send(url, { ...init, ...text, ...half });
    const answer = await response.text();
    return { status: response.status, arrival: response.ok ? (JSON.parse(answer) as Arrival) : {} };
  });
}

export type Senders = Readonly<Record<ClientName, Send>>;

export function sendersOf(clients: Clients): Senders {
  return {
    axios: throughAxios(clients.axios),
    ky: throughKy(clients.ky),
    got: throughGot(clients.got),
    fetch: throughFetch(clients.fetch),
  };
}

/** The four clients with a token that does not expire. */
export function fixedSenders(token: string): Senders {
  const headers = { authorization: `Bearer ${token}` };
  return sendersOf({
    axios: axios.create({ headers }),
    ky: ky.extend({ headers }),
    got: got.extend({ headers }),
    fetch: (url, init) => fetch(url, { ...init, headers: { ...(init!.headers as object), ...headers } }),
  });
}
