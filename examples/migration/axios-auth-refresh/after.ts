import { axiosAuth } from '@unexpired/axios';
import { createTokenSource, type TokenResponse } from '@unexpired/core';
import { refreshTokenGrant } from '@unexpired/oauth';
import axios, { type AxiosInstance } from 'axios';

export async function connect(
  place: { api: string; tokenEndpoint: string },
  first: TokenResponse,
): Promise<AxiosInstance> {
  const tokens = createTokenSource({
    origins: [place.api],
    refresh: refreshTokenGrant({ tokenEndpoint: place.tokenEndpoint, clientId: 'cli' }),
  });
  await tokens.signIn(first);

  const api = axios.create({ baseURL: place.api });
  api.interceptors.request.use(axiosAuth(tokens));
  return api;
}
