import type { TokenResponse } from '@unexpired/core';
import axios, { type AxiosInstance } from 'axios';
import { applyAuthTokenInterceptor, setAuthTokens, type IAuthTokens, type StorageType } from 'axios-jwt';

export async function connect(
  place: { api: string; tokenEndpoint: string },
  first: TokenResponse,
): Promise<AxiosInstance> {
  const tokensOf = ({ access_token = '', refresh_token = '' }: TokenResponse): IAuthTokens => ({
    accessToken: access_token,
    refreshToken: refresh_token,
  });
  const items = new Map<string, string>(); // stands for localStorage
  const storage: StorageType = {
    get: async (key) => items.get(key) ?? null,
    set: async (key, value) => void items.set(key, value),
    remove: async (key) => void items.delete(key),
  };

  const api = axios.create({ baseURL: place.api });
  // The cast: its types are those of the CommonJS axios.
  applyAuthTokenInterceptor(api as never, {
    getStorage: () => storage,
    async requestRefresh(refreshToken) {
      const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: 'cli' });
      form.set('refresh_token', refreshToken);
      const { data } = await axios.post<TokenResponse>(place.tokenEndpoint, form);
      return tokensOf(data);
    },
  });
  await setAuthTokens(tokensOf(first));
  return api;
}
