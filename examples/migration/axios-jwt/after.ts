import { axiosAuth } from '@unexpired/axios';
import { createStoreFrom, createTokenSource, type TokenResponse } from '@unexpired/core';
import { refreshTokenGrant } from '@unexpired/oauth';
import axios, { type AxiosInstance } from 'axios';

export function connect(place: { api: string; tokenEndpoint: string }, first: TokenResponse): AxiosInstance {
  const items = new Map<string, string>(); // stands for sessionStorage: tabs that share one end the sign-in
  const tokens = createTokenSource({
    origins: [place.api],
    refresh: refreshTokenGrant({ tokenEndpoint: place.tokenEndpoint, clientId: 'cli' }),
    store: createStoreFrom({
      load: (account) => JSON.parse(items.get(`tokens of ${account}`) ?? 'null'),
      save: (account, record) => items.set(`tokens of ${account}`, JSON.stringify(record)),
    }),
    tokens: first, // what a sign-in returned, or axios-jwt had stored; counts only where the store has no record
  });

  const api = axios.create({ baseURL: place.api });
  api.interceptors.request.use(axiosAuth(tokens));
  return api;
}
