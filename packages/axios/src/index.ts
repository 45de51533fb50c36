import type { RequestOptions } from '@unexpired/core';

export { axiosAuth } from './axios-auth.ts';

declare module 'axios' {
  // oxlint-disable-next-line no-explicit-any -- must repeat what axios declares
  interface AxiosRequestConfig<D = any> {
    /** How this one request is authorized. */
    unexpired?: RequestOptions | undefined;
  }
}
