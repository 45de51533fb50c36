import { checkAdapter, describe401, sendGuarded, type AdapterOptions } from '@unexpired/core';
import type { TokenSource, TokenSourceResolver, Transport } from '@unexpired/core';
import { getAdapter, type AxiosError, type AxiosResponse } from 'axios';
import { AGENTS, attemptOf, clean, discard, factsOf, headersOf, transformed, urlOf } from './attempt.ts';
import type { Config } from './attempt.ts';

type Send = (config: Config) => Promise<AxiosResponse>;

/** A response, and the error that brought it where axios makes it one. */
interface Outcome {
  readonly response: AxiosResponse;
  readonly error?: AxiosError;
}

/** For `interceptors.request.use`. */
export type AuthInterceptor = (config: Config) => Config;

/** What was wrapped: a config that is sent once more, as axios-retry does, brings its adapter along. */
const wrapped = new WeakMap<object, { readonly tokens: unknown; readonly inner: Config['adapter'] }>();

function isWrapped(adapter: unknown, tokens: unknown): boolean {
  const wrapping = wrapped.get(adapter as object);
  return wrapping !== undefined && (wrapping.tokens === tokens || isWrapped(wrapping.inner, tokens));
}

function isAdapter(send: Send, name: 'http' | 'fetch', config: Config): boolean {
  try {
    return getAdapter(name, config) === send;
  } catch {
    return false;
  }
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

/** The adapter that was wrapped, for one call. */
function transportOf(config: Config, original: Config, send: Send): Transport<Outcome> {
  return {
    async send(authorization, data) {
      if (authorization === undefined) return { response: await send(config) };
      try {
        return { response: await send(attemptOf(original, authorization, data)) };
      } catch (cause) {
        const error = cause as AxiosError;
        if (error?.response === undefined) throw clean(error, config);
        return { response: error.response, error };
      }
    },
    facts: ({ response }) => factsOf(config, response),
    discard: async ({ response }) => discard(response),
  };
}

async function dispatch(
  config: Config,
  send: Send,
  adapter: Parameters<typeof sendGuarded>[0],
): Promise<AxiosResponse> {
  const url = urlOf(config);
  const wait = waitOf(config);
  const original = { ...config, headers: headersOf(config) as Config['headers'] };
  const found = {
    url,
    method: (config.method ?? 'get').toUpperCase(),
    hasAuthorization: config.headers.has('authorization'),
    // Basic authentication, of the config or the URL, replaces any Authorization header in axios itself.
    hasOwnAuthentication: Boolean(config.auth) || /^[^/?#]*\/\/[^/?#]*@/.test(url),
    signal: wait.signal,
    confinesHeaders: () => isAdapter(send, 'http', config) || isAdapter(send, 'fetch', config),
    body: { value: config.data as unknown, contentLength: Number(config.headers.get('content-length') ?? 0) },
    prepare: (made: unknown) => transformed(original, made),
    options: config.unexpired,
    native: config,
  };
  try {
    const { response, error } = await sendGuarded(adapter, found, transportOf(config, original, send));
    response.config = config;
    if (error === undefined) return response;
    const why = describe401(response);
    if (why !== undefined) error.message += `. ${why}`;
    throw clean(error, config);
  } finally {
    wait.end();
  }
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
  return (config) => {
    const inner = config.adapter;
    if (isWrapped(inner, tokens)) return config;
    const adapter: Send = async (given) => {
      // Errors conceal these, so a config that is sent once more has lost them.
      for (const name of AGENTS) if (name in config && !(name in given)) given[name] = config[name] as never;
      const send = getAdapter(inner ?? ['xhr', 'http', 'fetch'], given);
      return dispatch(given, send, { tokens, options });
    };
    wrapped.set(adapter, { tokens, inner });
    config.adapter = adapter;
    return config;
  };
}
