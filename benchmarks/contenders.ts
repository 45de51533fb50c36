// What keeps a client's token fresh: unexpired, and what people would pick instead, each in its best documented form.
import { bearerTokenAuthenticationPolicy, createEmptyPipeline } from '@azure/core-rest-pipeline';
import { OAuth2Client as BadgatewayClient, OAuth2Fetch } from '@badgateway/oauth2-client';
import { axiosAuth } from '@unexpired/axios';
import { createTokenSource, type TokenResponse, type TokenSource } from '@unexpired/core';
import { fetchAuth } from '@unexpired/fetch';
import { gotAuth } from '@unexpired/got';
import { kyAuth } from '@unexpired/ky';
import axios from 'axios';
import { pipeline, withHeaders, withTokenRefresh } from 'fetch-extras';
import { OAuth2Client as GoogleClient } from 'google-auth-library';
import got from 'got';
import ky from 'ky';
import { connect as connectAxiosAuthRefresh } from '../examples/migration/axios-auth-refresh/before.ts';
import { connect as connectAxiosJwt } from '../examples/migration/axios-jwt/before.ts';
import { connect as connectGot } from '../examples/migration/got/before.ts';
import { connect as connectKy } from '../examples/migration/ky/before.ts';
import { sendAxios, sendAzure, sendFetch, sendGot, sendKy, type ClientName, type Send } from './clients.ts';
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

const expiryOf = ({ expires_in }: TokenResponse): number => Date.now() + Number(expires_in) * 1000;

function fetchExtras(place: Place, first: TokenResponse): Send {
  let tokens = first;
  const refreshToken = async (): Promise<string> =>
    (tokens = await exchange(place, tokens.refresh_token)).access_token!;
  const bearer = () => ({ authorization: `Bearer ${tokens.access_token}` });
  return sendFetch(pipeline(fetch, withHeaders(bearer), withTokenRefresh({ refreshToken })));
}

function badgateway({ tokenEndpoint }: Place, first: TokenResponse): Send {
  const stored = {
    accessToken: first.access_token!,
    refreshToken: first.refresh_token!,
    expiresAt: expiryOf(first),
  };
  const wrapper = new OAuth2Fetch({
    client: new BadgatewayClient({ clientId: 'cli', tokenEndpoint }),
    getNewToken: () => null,
    getStoredToken: () => stored,
  });
  return sendFetch((url, init) => wrapper.fetch(url, init));
}

function google({ tokenEndpoint }: Place, first: TokenResponse): Send {
  const client = new GoogleClient({
    clientId: 'cli',
    endpoints: { oauth2TokenUrl: tokenEndpoint },
    transporterOptions: { fetchImplementation: fetch },
    forceRefreshOnFailure: true,
  });
  client.setCredentials({
    access_token: first.access_token!,
    refresh_token: first.refresh_token!,
    expiry_date: expiryOf(first),
  });
  return (url) => client.request({ url });
}

function azure(place: Place, first: TokenResponse): Send {
  const held = { token: first.access_token!, expiresOnTimestamp: expiryOf(first) };
  let isHanded = held.expiresOnTimestamp <= Date.now();
  const credential = {
    async getToken() {
      if (!isHanded) {
        isHanded = true;
        return held;
      }
      const tokens = await exchange(place, first.refresh_token);
      return { token: tokens.access_token!, expiresOnTimestamp: expiryOf(tokens) };
    },
  };
  const line = createEmptyPipeline();
  line.addPolicy(bearerTokenAuthenticationPolicy({ credential, scopes: 'all' }));
  return sendAzure(line);
}

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
  { name: 'fetch-extras', client: 'fetch', connect: fetchExtras },
  { name: '@badgateway/oauth2-client', client: 'fetch', connect: badgateway },
  { name: 'google-auth-library', client: 'gaxios', connect: google },
  { name: '@azure/core-rest-pipeline', client: 'azure', connect: azure },
];

export const contendersFor = (client: ClientName): readonly Contender[] =>
  CONTENDERS.filter((each) => each.client === client);
