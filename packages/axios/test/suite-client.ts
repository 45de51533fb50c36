import { Agent } from 'node:http';
import { axiosAuth } from '@unexpired/axios';
import type { AdapterSuiteOptions, SuiteAnswer, SuitePool } from '@unexpired/testing';
import type { AxiosError, AxiosResponse, AxiosStatic, CreateAxiosDefaults } from 'axios';
import { Agent as UndiciAgent, fetch, Request, Response } from 'undici';

function answerOf(response: AxiosResponse<string>, error?: AxiosError): SuiteAnswer {
  const { status, data, headers } = response;
  const get = (name: string): string => headers[name.toLowerCase()] as string;
  return { status, text: data, headers: { get }, error, native: error ?? response };
}

/** The http adapter keeps every body whole where it follows redirects. */
const forLongBodies = { maxRedirects: 0 };

function defaultsFor({ connections }: SuitePool): CreateAxiosDefaults {
  const httpAgent = new Agent({ keepAlive: true, maxSockets: connections });
  // The fetch of Node takes no agent of another undici than its own.
  const env = { fetch, Request, Response } as unknown as NonNullable<CreateAxiosDefaults['env']>;
  return { httpAgent, env, fetchOptions: { dispatcher: new UndiciAgent({ connections }) } };
}

/** What the adapter suite sends with. Its bodies go through axios' own transforms. */
export function createSuiteClient(
  axios: AxiosStatic,
  adapter: 'http' | 'fetch' | 'xhr',
): AdapterSuiteOptions['createClient'] {
  return (tokens, options, pool) => {
    const client = axios.create({ ...(pool && defaultsFor(pool)), adapter, responseType: 'text' });
    client.interceptors.request.use(axiosAuth(tokens, options));
    return async ({ url, method = 'GET', headers: own, body, isLong, signal, unexpired }) => {
      // Without it, the fetch adapter in Node labels a form as url-encoded.
      const headers =
        adapter === 'fetch' && body instanceof FormData
          ? { ...own, 'Content-Type': 'multipart/form-data' }
          : { ...own };
      try {
        return answerOf(
          await client.request({
            ...(isLong && forLongBodies),
            url,
            method,
            headers,
            data: body,
            signal: signal!,
            unexpired,
          }),
        );
      } catch (thrown) {
        const error = thrown as AxiosError<string>;
        if (error.response !== undefined) return answerOf(error.response, error);
        return { status: undefined, text: '', headers: new Headers(), error, native: error };
      }
    };
  };
}
