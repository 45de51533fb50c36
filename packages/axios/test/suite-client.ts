import { axiosAuth } from '@unexpired/axios';
import type { AdapterOptions, TokenSource, TokenSourceResolver } from '@unexpired/core';
import type { SuiteAnswer, SuiteClient } from '@unexpired/testing';
import type { AxiosError, AxiosResponse, AxiosStatic } from 'axios';

function answerOf(response: AxiosResponse<string>, error?: AxiosError): SuiteAnswer {
  const { status, data, headers } = response;
  const get = (name: string): string => headers[name.toLowerCase()] as string;
  return { status, text: data, headers: { get }, error, native: error ?? response };
}

/** What the adapter suite sends with. Its bodies go through axios' own transforms. */
export function createSuiteClient(
  axios: AxiosStatic,
  adapter: 'http' | 'fetch' | 'xhr',
): (tokens: TokenSource | TokenSourceResolver, options?: AdapterOptions) => SuiteClient {
  return (tokens, options) => {
    const client = axios.create({ adapter, responseType: 'text' });
    client.interceptors.request.use(axiosAuth(tokens, options));
    return async ({ url, method = 'GET', headers: own, body, signal, unexpired }) => {
      // Without it, the fetch adapter in Node labels a form as url-encoded.
      const headers =
        adapter === 'fetch' && body instanceof FormData
          ? { ...own, 'Content-Type': 'multipart/form-data' }
          : { ...own };
      try {
        return answerOf(
          await client.request({ url, method, headers, data: body, signal: signal!, unexpired }),
        );
      } catch (thrown) {
        const error = thrown as AxiosError<string>;
        if (error.response !== undefined) return answerOf(error.response, error);
        return { status: undefined, text: '', headers: new Headers(), error, native: error };
      }
    };
  };
}
