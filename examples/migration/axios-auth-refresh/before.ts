import type { TokenResponse } from '@unexpired/core';
import axios, { type AxiosInstance } from 'axios';
import { createAuthRefresh } from 'axios-auth-refresh';

export function connect(
  place: { api: string; tokenEndpoint: string },
  first: TokenResponse,
  options: { deduplicateRefresh?: boolean } = {},
): AxiosInstance {
  let tokens = first;
  const bearer = (): string => `Bearer ${tokens.access_token}`;

  const api = axios.create({ baseURL: place.api });
  api.interceptors.request.use((request) => {
    request.headers.set('Authorization', bearer());
    return request;
  });
  // The cast: its types are those of the CommonJS axios.
  createAuthRefresh(
    api as never,
    async (failed) => {
      const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: 'cli' });
      form.set('refresh_token', tokens.refresh_token!);
      const { data } = await axios.post<TokenResponse>(place.tokenEndpoint, form);
      tokens = data;
      failed.response.config.headers['Authorization'] = bearer();
    },
    options,
  );
  return api;
}
