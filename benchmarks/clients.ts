import { axiosAuth } from '@unexpired/axios';
import type { TokenSource } from '@unexpired/core';
import { fetchAuth } from '@unexpired/fetch';
import { gotAuth } from '@unexpired/got';
import { kyAuth } from '@unexpired/ky';
import axios, { type AxiosInstance } from 'axios';
import got, { type Got } from 'got';
import ky, { type KyInstance } from 'ky';

/** Sends one request, and resolves once its response is there; a POST where there is something to send. */
export type Send = (url: string, json?: object) => Promise<unknown>;

export const sendAxios =
  (api: AxiosInstance): Send =>
  (url, json) =>
    json === undefined ? api.get(url) : api.post(url, json);

export const sendKy =
  (api: KyInstance): Send =>
  (url, json) =>
    json === undefined ? api.get(url).text() : api.post(url, { json }).text();

export const sendGot =
  (api: Got): Send =>
  (url, json) =>
    json === undefined ? api.get(url) : api.post(url, { json });

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export function sendFetch(send: Fetch, own: Readonly<Record<string, string>> = {}): Send {
  const headers = { ...own, 'content-type': 'application/json' };
  return async (url, json) => {
    const response = await (json === undefined
      ? send(url, { headers: own })
      : send(url, { method: 'POST', headers, body: JSON.stringify(json) }));
    if (response.status >= 400) throw new Error(`status ${response.status}`);
    return response.text();
  };
}

export interface Client {
  /** With a header that never changes. */
  readonly bare: (accessToken: string) => Send;
  readonly ours: (tokens: TokenSource) => Send;
}

const bearer = (accessToken: string) => ({ authorization: `Bearer ${accessToken}` });

export const CLIENTS = ['axios', 'ky', 'got', 'fetch'] as const;
export type ClientName = (typeof CLIENTS)[number];

export const clients: Readonly<Record<ClientName, Client>> = {
  axios: {
    bare: (accessToken) => sendAxios(axios.create({ headers: bearer(accessToken) })),
    ours(tokens) {
      const api = axios.create();
      api.interceptors.request.use(axiosAuth(tokens));
      return sendAxios(api);
    },
  },
  ky: {
    bare: (accessToken) => sendKy(ky.create({ headers: bearer(accessToken) })),
    ours: (tokens) => sendKy(ky.extend(kyAuth(tokens))),
  },
  got: {
    bare: (accessToken) => sendGot(got.extend({ headers: bearer(accessToken) })),
    ours: (tokens) => sendGot(got.extend(gotAuth(tokens))),
  },
  fetch: {
    bare: (accessToken) => sendFetch((url, init) => fetch(url, init), bearer(accessToken)),
    ours: (tokens) => sendFetch(fetchAuth(tokens)),
  },
};
