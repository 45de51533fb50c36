import { checkAdapter, describe401, sendGuarded, streamLike, type AdapterOptions } from '@unexpired/core';
import type { TokenSource, TokenSourceResolver } from '@unexpired/core';
import { getAdapter, type AxiosResponse } from 'axios';
import { urlOf, type Config } from './attempt.ts';
import { isAdapter, transportOf, type Send } from './transport.ts';

/** For `interceptors.request.use`. */
export type AuthInterceptor = (config: Config) => Config;

/** What was wrapped: a config that is sent once more, as axios-retry does, brings its adapter along. */
const wrapped = new WeakMap<object, { readonly tokens: unknown; readonly inner: Config['adapter'] }>();

function isWrapped(adapter: unknown, tokens: unknown): boolean {
  const wrapping = wrapped.get(adapter as object);
  return wrapping !== undefined && (wrapping.tokens === tokens || isWrapped(wrapping.inner, tokens));
}

/** One signal for all that ends the caller's wait. Whatever that rejects with, axios makes a CanceledError of it. */
function waitOf({ signal, cancelToken }: Config): { signal?: AbortSignal; end(): void } {
  if (!signal && !cancelToken) return { end: () => undefined };
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  if (signal?.aborted) abort();
  signal?.addEventListener?.('abort', abort);
  cancelToken?.subscribe(abort);
  const end = (): void => {
    signal?.removeEventListener?.('abort', abort);
    cancelToken?.unsubscribe(abort);
  };
  return { signal: controller.signal, end };
}

/**
 * A request interceptor that wraps the adapter: an access token goes with each request to a listed origin, and after a
 * 401 the request is sent once more with a fresh one.
 *
 * @throws TypeError that names the option, what was expected, and what came
 */
export function axiosAuth(
  tokens: TokenSource | TokenSourceResolver,
  options: AdapterOptions = {},
): AuthInterceptor {
  checkAdapter(tokens, options);

  async function dispatch(config: Config, send: Send): Promise<AxiosResponse> {
    const { headers, unexpired } = config;
    const data: unknown = config.data;
    const url = urlOf(config);
    const contentLength = Number(headers.get('content-length') ?? 0);
    const wait = waitOf(config);
    const found = {
      url,
      method: (config.method ?? 'get').toUpperCase(),
      signal: wait.signal,
      hasAuthorization: headers.has('authorization'),
      // Basic authentication, of the config or the URL, replaces any Authorization header in axios itself.
      hasOwnAuthentication: Boolean(config.auth) || /^[^/?#]*\/\/[^/?#]*@/.test(url),
      confinesHeaders: () => isAdapter(send, 'http', config) || isAdapter(send, 'fetch', config),
      body: { value: data, contentLength, toClientBody: streamLike.bind(undefined, data) },
      options: unexpired,
      native: config,
    };
    try {
      const result = await sendGuarded({ tokens, options }, found, transportOf(config, send));
      if (result.error === undefined) return result.response;
      const why = describe401(result.response);
      if (why !== undefined) result.error.message += `. ${why}`;
      throw result.error;
    } finally {
      wait.end();
    }
  }

  return (config) => {
    const inner = config.adapter;
    if (isWrapped(inner, tokens)) return config;
    const adapter: Send = (given) => dispatch(given, getAdapter(inner ?? ['xhr', 'http', 'fetch'], given));
    wrapped.set(adapter, { tokens, inner });
    config.adapter = adapter;
    return config;
  };
}
