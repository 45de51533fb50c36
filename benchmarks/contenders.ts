// What keeps a client's token fresh: unexpired, and what people would pick instead, each in its best documented form.
import { axiosAuth } from '@unexpired/axios';
import { createTokenSource, type TokenResponse, type TokenSource } from '@unexpired/core';
import { fetchAuth } from '@unexpired/fetch';
import { gotAuth } from '@unexpired/got';
import { kyAuth } from '@unexpired/ky';
import { undiciAuth } from '@unexpired/undici';
import axios from 'axios';
import got from 'got';
import ky from 'ky';
import { connect as connectAxiosAuthRefresh } from '../examples/migration/axios-auth-refresh/before.ts';
import { connect as connectAxiosJwt } from '../examples/migration/axios-jwt/before.ts';
import { connect as connectGot } from '../examples/migration/got/before.ts';
import { connect as connectKy } from '../examples/migration/ky/before.ts';
import {
  createAgent,
  sendAxios,
  sendAzure,
  sendFetch,
  sendGot,
  sendKy,
  sendUndici,
  type ClientName,
  type Send,
} from './clients.ts';
import { connectAzure, connectBadgateway, connectFetchExtras, connectGoogle } from './peers.ts';
import { exchange, type Place } from './place.ts';

/** Wires one of them, signed in with these first tokens. */
export type Connect = (place: Place, first: TokenResponse) => Send | Promise<Send>;

export interface Contender {
  readonly name: string;
  readonly client: ClientName;
  readonly connect: Connect;
}

async function sourceAt(place: Place, first: TokenResponse): Promise<TokenSource> {
  const refresh = ({ refreshToken }: { refreshToken: string | undefined }): Promise<TokenResponse> =>
    exchange(place, refreshToken);
  const tokens = createTokenSource({ origins: [place.api], refresh });
  await tokens.signIn(first);
  return tokens;
}

const ours = (client: ClientName, wire: (tokens: TokenSource) => Send): Contender => ({
  name: `unexpired, ${client}`,
  client,
  connect: async (place, first) => wire(await sourceAt(place, first)),
});

function withAxios(tokens: TokenSource): Send {
  const api = axios.create();
  api.interceptors.request.use(axiosAuth(tokens));
  return sendAxios(api);
}

export const isOurs = ({ name }: Contender): boolean => name.startsWith('unexpired');

const CONTENDERS: readonly Contender[] = [
  ours('axios', withAxios),
  {
    name: 'axios-auth-refresh',
    client: 'axios',
    connect: ({ tokenEndpoint }, first) =>
      // The switch that lets callers wait for a refresh that is under way.
      sendAxios(connectAxiosAuthRefresh({ api: '', tokenEndpoint }, first, { deduplicateRefresh: false })),
  },
  {
    name: 'axios-jwt',
    client: 'axios',
    connect: async ({ tokenEndpoint }, first) =>
      sendAxios(await connectAxiosJwt({ api: '', tokenEndpoint }, first)),
  },
  ours('ky', (tokens) => sendKy(ky.extend(kyAuth(tokens)), { retry: 0 })),
  {
    name: "ky's recipe",
    client: 'ky',
    connect: (place, first) => sendKy(connectKy(place, first, { shared: true })),
  },
  ours('got', (tokens) => sendGot(got.extend(gotAuth(tokens)))),
  {
    name: "got's recipe",
    client: 'got',
    connect: (place, first) => {
      const send = sendGot(connectGot(place, first, { shared: true }));
      return (url, body) => send(url.slice(place.api.length + 1), body);
    },
  },
  ours('fetch', (tokens) => sendFetch(fetchAuth(tokens))),
  {
    name: 'fetch-extras',
    client: 'fetch',
    connect: (place, first) => sendFetch(connectFetchExtras(place, first)),
  },
  {
    name: '@badgateway/oauth2-client',
    client: 'fetch',
    connect: (place, first) => sendFetch(connectBadgateway(place, first)),
  },
  ours('undici', (tokens) => sendUndici(createAgent().compose(undiciAuth(tokens)))),
  {
    name: 'google-auth-library',
    client: 'gaxios',
    connect(place, first) {
      const client = connectGoogle(place, first);
      return (url) => client.request({ url });
    },
  },
  {
    name: '@azure/core-rest-pipeline',
    client: 'azure',
    connect: (place, first) => sendAzure(connectAzure(place, first)),
  },
];

export const contendersFor = (client: ClientName): readonly Contender[] =>
  CONTENDERS.filter((each) => each.client === client);
