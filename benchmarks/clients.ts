// HTTP clients, each with a header that never changes.
import { Readable } from 'node:stream';
import {
  createEmptyPipeline,
  createHttpHeaders,
  createPipelineRequest,
  type Pipeline,
} from '@azure/core-rest-pipeline';
import axios, { type AxiosInstance } from 'axios';
import { gaxios } from 'google-auth-library';
import got, { type Got } from 'got';
import ky, { type KyInstance } from 'ky';
import { Agent, request, type Dispatcher } from 'undici';

/** Sends a GET, or a POST where there is a body, as JSON but for streams. Resolves once the response is there. */
export type Send = (url: string, body?: object) => Promise<unknown>;

export const sendAxios =
  (api: AxiosInstance): Send =>
  (url, body) => {
    if (body === undefined) return api.get(url);
    // With redirects it would keep the whole of a stream.
    return api.post(url, body, body instanceof Readable ? { maxRedirects: 0 } : {});
  };

const webStream = (body: Readable): ReadableStream<Uint8Array> =>
  Readable.toWeb(body) as unknown as ReadableStream<Uint8Array>;

/** fetch of Node keeps the whole of a stream, unless it can neither be redirected nor asked for a password. */
const NO_COPY = { redirect: 'error', window: null } as const;

export function sendKy(api: KyInstance, forStreams: { readonly retry?: number } = {}): Send {
  return (url, body) => {
    if (body === undefined) return api.get(url).text();
    if (!(body instanceof Readable)) return api.post(url, { json: body }).text();
    return api.post(url, { body: webStream(body), timeout: false, ...NO_COPY, ...forStreams }).text();
  };
}

export const sendGot =
  (api: Got): Send =>
  (url, body) => {
    if (body === undefined) return api.get(url);
    return api.post(url, body instanceof Readable ? { body } : { json: body });
  };

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export function sendFetch(send: Fetch, own: Readonly<Record<string, string>> = {}): Send {
  const jsonHeaders = { ...own, 'content-type': 'application/json' };
  const initOf = (body: object | undefined): RequestInit => {
    if (body === undefined) return { headers: own };
    if (!(body instanceof Readable)) {
      return { method: 'POST', headers: jsonHeaders, body: JSON.stringify(body) };
    }
    return { method: 'POST', headers: own, body: webStream(body), duplex: 'half', ...NO_COPY } as RequestInit;
  };
  return async (url, body) => {
    const response = await send(url, initOf(body));
    if (response.status >= 400) throw new Error(`status ${response.status}`);
    return response.text();
  };
}

/** As many connections as the others have. */
export const createAgent = (): Agent => new Agent({ connections: 64 });

export function sendUndici(dispatcher: Dispatcher, own: Readonly<Record<string, string>> = {}): Send {
  const jsonHeaders = { ...own, 'content-type': 'application/json' };
  const ask = (url: string, body: object | undefined): Promise<Dispatcher.ResponseData> => {
    if (body === undefined) return request(url, { dispatcher, headers: own });
    if (body instanceof Readable) return request(url, { dispatcher, method: 'POST', headers: own, body });
    return request(url, { dispatcher, method: 'POST', headers: jsonHeaders, body: JSON.stringify(body) });
  };
  return async (url, body) => {
    const { statusCode, body: answer } = await ask(url, body);
    const text = await answer.text();
    if (statusCode >= 400) throw new Error(`status ${statusCode}`);
    return text;
  };
}

/** Through fetch, like most others here. */
export function sendAzure(line: Pipeline, headers: Readonly<Record<string, string>> = {}): Send {
  const client: Parameters<Pipeline['sendRequest']>[0] = {
    async sendRequest(request) {
      const response = await fetch(request.url, { headers: request.headers.toJSON() });
      return {
        request,
        status: response.status,
        headers: createHttpHeaders(Object.fromEntries(response.headers)),
        bodyAsText: await response.text(),
      };
    },
  };
  return async (url) => {
    const { status } = await line.sendRequest(
      client,
      createPipelineRequest({ url, headers: createHttpHeaders(headers) }),
    );
    if (status >= 400) throw new Error(`status ${status}`);
  };
}

const bearer = (accessToken: string) => ({ authorization: `Bearer ${accessToken}` });

export const bareClients = {
  axios: (accessToken: string): Send => sendAxios(axios.create({ headers: bearer(accessToken) })),
  ky: (accessToken: string): Send => sendKy(ky.create({ headers: bearer(accessToken) }), { retry: 0 }),
  got: (accessToken: string): Send => sendGot(got.extend({ headers: bearer(accessToken) })),
  fetch: (accessToken: string): Send => sendFetch((url, init) => fetch(url, init), bearer(accessToken)),
  undici: (accessToken: string): Send => sendUndici(createAgent(), bearer(accessToken)),
  /** What google-auth-library sends with. */
  gaxios(accessToken: string): Send {
    const client = new gaxios.Gaxios({ fetchImplementation: fetch, headers: bearer(accessToken) });
    return (url) => client.request({ url });
  },
  azure: (accessToken: string): Send => sendAzure(createEmptyPipeline(), bearer(accessToken)),
};

export type ClientName = keyof typeof bareClients;

export const ALL_CLIENTS = Object.keys(bareClients) as ClientName[];
