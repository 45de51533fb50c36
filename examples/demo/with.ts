import { axiosAuth } from '@unexpired/axios';
import { createTokenSource, type TokenResponse } from '@unexpired/core';
import { fetchAuth } from '@unexpired/fetch';
import { refreshTokenGrant } from '@unexpired/oauth';
import axios from 'axios';
import type { Clients, Place } from './clients.ts';

/** axios and fetch with unexpired: all there is to set up. */
export function connect({ issuer, clientId, api }: Place, tokens: TokenResponse): Clients {
  const source = createTokenSource({
    origins: [api],
    refresh: refreshTokenGrant({ issuer, clientId }),
    tokens,
  });
  const client = axios.create();
  client.interceptors.request.use(axiosAuth(source));

  return {
    axios: client,
    fetch: fetchAuth(source),
    signIn: (next) => source.signIn(next),
    close: () => source.close(),
  };
}
