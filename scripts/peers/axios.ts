import { axiosAuth } from '@unexpired/axios';
import axios, { type AxiosRequestConfig } from 'axios';
import { prove } from './proof.ts';

await prove((tokens) => {
  const api = axios.create();
  api.interceptors.request.use(axiosAuth(tokens));
  return async ({ url, method, body }) => {
    const config: AxiosRequestConfig = { url, method, data: body, unexpired: { minTtlMs: 1000 } };
    const { status } = await api.request(config);
    return status;
  };
});
