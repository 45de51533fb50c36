import { axiosAuth } from '@unexpired/axios';
import type { TokenSource, TokenSourceResolver } from '@unexpired/core';
import { fetchAuth } from '@unexpired/fetch';
import { gotAuth } from '@unexpired/got';
import { kyAuth } from '@unexpired/ky';
import axios from 'axios';
import got from 'got';
import ky from 'ky';

export interface Sending {
  readonly url: string;
  readonly signal?: AbortSignal | undefined;
  readonly account?: string | undefined;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** What `explain401` is asked about. */
  readonly native: object;
}

type Send = (sending: Sending) => Promise<Answer>;

function axiosClient(tokens: TokenSource | TokenSourceResolver): Send {
  const client = axios.create({ adapter: 'http', responseType: 'text', validateStatus: null });
  client.interceptors.request.use(axiosAuth(tokens));
  return async ({ url, signal, account }) => {
    const native = await client.get<string>(url, { signal: signal!, unexpired: { account } });
    return { status: native.status, text: native.data, native };
  };
}

function kyClient(tokens: TokenSource | TokenSourceResolver): Send {
  const client = ky.create({ timeout: false, throwHttpErrors: false }).extend(kyAuth(tokens));
  return async ({ url, signal, account }) => {
    const native = await client(url, { signal: signal ?? null, context: { unexpired: { account } } });
    return { status: native.status, text: await native.text(), native };
  };
}

function gotClient(tokens: TokenSource | TokenSourceResolver): Send {
  const client = got.extend({ throwHttpErrors: false }, gotAuth(tokens));
  return async ({ url, signal, account }) => {
    const native = await client(url, { signal: signal!, context: { unexpired: { account } } });
    return { status: native.statusCode, text: native.body, native };
  };
}

function fetchClient(tokens: TokenSource | TokenSourceResolver): Send {
  const client = fetchAuth(tokens);
  return async ({ url, signal, account }) => {
    const native = await client(url, { signal: signal ?? null, unexpired: { account } });
    return { status: native.status, text: await native.text(), native };
  };
}

/** Every client that has an adapter. */
export const CLIENTS = { axios: axiosClient, ky: kyClient, got: gotClient, fetch: fetchClient };

export type ClientName = keyof typeof CLIENTS;

export const ALL = Object.keys(CLIENTS) as ClientName[];
