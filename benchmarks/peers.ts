// Peers, each wired as its documentation says. Those of axios, ky and got are in examples/migration.
import {
  bearerTokenAuthenticationPolicy,
  createEmptyPipeline,
  type Pipeline,
} from '@azure/core-rest-pipeline';
import { OAuth2Client as BadgatewayClient, OAuth2Fetch } from '@badgateway/oauth2-client';
import type { TokenResponse } from '@unexpired/core';
import { pipeline, withHeaders, withTokenRefresh } from 'fetch-extras';
import { OAuth2Client as GoogleClient } from 'google-auth-library';
import { exchange, type Place } from './place.ts';

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

const expiryOf = ({ expires_in }: TokenResponse): number => Date.now() + Number(expires_in) * 1000;

export function connectFetchExtras(place: Place, first: TokenResponse): Fetch {
  let tokens = first;
  const refreshToken = async (): Promise<string> =>
    (tokens = await exchange(place, tokens.refresh_token)).access_token!;
  const bearer = () => ({ authorization: `Bearer ${tokens.access_token}` });
  return pipeline(fetch, withHeaders(bearer), withTokenRefresh({ refreshToken }));
}

export function connectBadgateway({ tokenEndpoint }: Place, first: TokenResponse): Fetch {
  const stored = {
    accessToken: first.access_token!,
    refreshToken: first.refresh_token!,
    expiresAt: expiryOf(first),
  };
  const wrapper = new OAuth2Fetch({
    client: new BadgatewayClient({ clientId: 'cli', tokenEndpoint }),
    getNewToken: () => null,
    getStoredToken: () => stored,
    // Its timer, which refreshes a minute before expiry, would keep the process alive.
    scheduleRefresh: false,
  });
  return (url, init) => wrapper.fetch(url, init);
}

export function connectGoogle({ tokenEndpoint }: Place, first: TokenResponse): GoogleClient {
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
  return client;
}

export function connectAzure(place: Place, first: TokenResponse): Pipeline {
  let tokens = first;
  let expiresAt = expiryOf(first);
  let isHanded = false;
  const credential = {
    async getToken() {
      if (isHanded || expiresAt <= Date.now()) {
        tokens = await exchange(place, tokens.refresh_token);
        expiresAt = expiryOf(tokens);
      }
      isHanded = true;
      return { token: tokens.access_token!, expiresOnTimestamp: expiresAt };
    },
  };
  const line = createEmptyPipeline();
  line.addPolicy(bearerTokenAuthenticationPolicy({ credential, scopes: 'all' }));
  return line;
}
