import { axiosAuth } from '@unexpired/axios';
import type { TokenSource } from '@unexpired/core';
import axios, { type AxiosInstance } from 'axios';
import axiosRetry, { exponentialDelay, isIdempotentRequestError } from 'axios-retry';

export function createApi(baseURL: string, tokens: TokenSource): AxiosInstance {
  const api = axios.create({ baseURL, timeout: 10_000 });
  // The default condition would repeat a POST, too, when its connection breaks.
  axiosRetry(api, { retries: 3, retryDelay: exponentialDelay, retryCondition: isIdempotentRequestError });
  // In either order: axiosAuth wraps the adapter, so that each of axios-retry's attempts passes through it.
  api.interceptors.request.use(axiosAuth(tokens));
  return api;
}
