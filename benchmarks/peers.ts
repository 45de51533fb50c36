import {
  bearerTokenAuthenticationPolicy,
  createEmptyPipeline,
  createHttpHeaders,
  createPipelineRequest,
} from '@azure/core-rest-pipeline';
import { OAuth2Client as BadgatewayClient, OAuth2Fetch } from '@badgateway/oauth2-client';
import type { TokenResponse } from '@unexpired/core';
import { pipeline, withHeaders, withTokenRefresh } from 'fetch-extras';
import { gaxios, OAuth2Client as GoogleClient } from 'google-auth-library';
import { connect as connectAxiosAuthRefresh } from '../examples/migration/axios-auth-refresh/before.ts';
import { connect as connectAxiosJwt } from '../examples/migration/axios-jwt/before.ts';
import { connect as connectGot } from '../examples/migration/got/before.ts';
import { connect as connectKy } from '../examples/migration/ky/before.ts';
import { sendAxios, sendFetch, sendGot, sendKy, type ClientName, type Send } from './clients.ts';

export interface Place {
  readonly api: string;
  readonly tokenEndpoint: string;
}

/** What people would pick instead, wired as its own documentation says. */
export interface Peer {
  /** What it is compared with; a peer that is a client of its own brings its own. */
  readonly client: ClientName | ((accessToken: string) => Send);
  readonly connect: (place: Place, first: TokenResponse) => Send | Promise<Send>;
}

const expiryOf = ({ expires_in }: TokenResponse): number => Date.now() + Number(expires_in) * 1000;

export async function exchange({ tokenEndpoint }: Place, refreshToken: string): Promise<TokenResponse> {
  const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: 'cli' });
  body.set('refresh_token', refreshToken);
  return (await (await fetch(tokenEndpoint, { method: 'POST', body })).json()) as TokenResponse;
}

function fetchExtras(place: Place, first: TokenResponse): Send {
  let tokens = first;
  const refreshToken = async (): Promise<string> =>
    (tokens = await exchange(place, tokens.refresh_token!)).access_token!;
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
  });
  const { access_token, refresh_token } = first;
  client.setCredentials({
    access_token: access_token!,
    refresh_token: refresh_token!,
    expiry_date: expiryOf(first),
  });
  return (url) => client.request({ url });
}

function bareGoogle(accessToken: string): Send {
  const headers = { authorization: `Bearer ${accessToken}` };
  const client = new gaxios.Gaxios({ fetchImplementation: fetch, headers });
  return (url) => client.request({ url });
}

/** Its policy refuses plain http, so that its own client never comes into play here. */
function azure(accessToken: string | undefined): Send {
  const line = createEmptyPipeline();
  const token = { token: accessToken ?? '', expiresOnTimestamp: Date.now() + 3_600_000 };
  const credential = { getToken: async () => token };
  if (accessToken !== undefined) {
    line.addPolicy(bearerTokenAuthenticationPolicy({ credential, scopes: 'all' }));
  }
  const authorization = 'Bearer fixed';
  const own = accessToken === undefined ? { authorization } : {};
  return (url) =>
    line.sendRequest(
      { sendRequest: async (request) => ({ request, status: 200, headers: createHttpHeaders() }) },
      createPipelineRequest({ url, headers: createHttpHeaders(own) }),
    );
}

export const peers: Readonly<Record<string, Peer>> = {
  'axios-auth-refresh': {
    client: 'axios',
    connect: ({ tokenEndpoint }, first) =>
      sendAxios(connectAxiosAuthRefresh({ api: '', tokenEndpoint }, first, { deduplicateRefresh: false })),
  },
  'axios-jwt': {
    client: 'axios',
    connect: async ({ tokenEndpoint }, first) =>
      sendAxios(await connectAxiosJwt({ api: '', tokenEndpoint }, first)),
  },
  "ky's recipe": {
    client: 'ky',
    connect: (place, first) => sendKy(connectKy(place, first, { shared: true })),
  },
  "got's recipe": {
    client: 'got',
    connect: (place, first) => {
      const api = connectGot(place, first, { shared: true });
      return (url, json) => sendGot(api)(url.slice(place.api.length + 1), json);
    },
  },
  'fetch-extras': { client: 'fetch', connect: fetchExtras },
  '@badgateway/oauth2-client': { client: 'fetch', connect: badgateway },
  'google-auth-library': { client: bareGoogle, connect: google },
  '@azure/core-rest-pipeline': {
    client: () => azure(undefined),
    connect: (_place, { access_token }) => azure(access_token),
  },
};

export const peersOf = (client: ClientName): [string, Peer][] =>
  Object.entries(peers).filter(([, peer]) => peer.client === client);
