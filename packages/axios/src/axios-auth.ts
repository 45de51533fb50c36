import { checkAdapter, describe401, isWrapped, markWrapper, sendGuarded } from '@unexpired/core';
import type { AdapterOptions, TokenSource, TokenSourceResolver, Transport } from '@unexpired/core';
import { getAdapter, type AxiosError, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { AGENTS, attemptOf, clean, cleanLater, discard, factsOf, transformed, urlOf } from './attempt.ts';

type Config = InternalAxiosRequestConfig;
type Send = (config: Config) => Promise<AxiosResponse>;

function isAdapter(send: Send, name: 'http' | 'fetch', config: Config): boolean {
  try {
    return getAdapter(name, config) === send;
  } catch {
    return false;
  }
}

/** One signal for all that ends the caller's wait. Whatever that rejects with, axios makes a CanceledError of it. */
function waitOf({ signal, cancelToken }: Config): { signal?: AbortSignal; end?: () => void } {
  if (!signal && !cancelToken) return {};
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  signal?.addEventListener?.('abort', abort);
  cancelToken?.subscribe(abort);
  const end = (): void => {
    signal?.removeEventListener?.('abort', abort);
    cancelToken?.unsubscribe(abort);
  };
  return { signal: controller.signal, end };
}

/** A response, and the error that brought it where axios makes it one. */
type Outcome = { readonly response: AxiosResponse; readonly error?: AxiosError };

function transportOf(config: Config, send: Send): Transport<Outcome> {
  return {
    async send(authorization, data) {
      if (authorization === undefined) return { response: await send(config) };
      try {
        const response = await send(attemptOf(config, authorization, data));
        return { response: cleanLater(config, response) };
      } catch (cause) {
        const error = cause as AxiosError | undefined;
        if (error?.response === undefined) throw clean(error, config);
        return { response: cleanLater(config, error.response), error };
      }
    },
    facts: ({ response }) => factsOf(config, response),
    discard: async ({ response }, enough) => discard(response, enough),
  };
}

/**
 * A request interceptor: requests to the source's origins carry an access token, and a 401 is answered with a fresh one,
 * once. It wraps the adapter of each request, so interceptors and transforms run once.
 *
 * @throws TypeError that names the option, what was expected, and what came
 */
export function axiosAuth(
  tokens: TokenSource | TokenSourceResolver,
  options: AdapterOptions = {},
): (config: InternalAxiosRequestConfig) => InternalAxiosRequestConfig {
  checkAdapter(tokens, options);
  const adapter = { tokens, options };

  async function dispatch(
    config: Config,
    send: Send,
    transforms: Config['transformRequest'],
  ): Promise<AxiosResponse> {
    const url = urlOf(config);
    const { signal, end } = waitOf(config);
    const found = {
      url,
      method: (config.method ?? 'get').toUpperCase(),
      hasAuthorization: config.headers.has('authorization'),
      // Basic authentication, of the config or the URL, replaces any Authorization header in axios itself.
      hasOwnAuthentication: Boolean(config.auth) || /^[^/?#]*\/\/[^/?#]*@/.test(url),
      signal,
      confinesHeaders: () => isAdapter(send, 'http', config) || isAdapter(send, 'fetch', config),
      body: { value: config.data as unknown, contentLength: Number(config.headers.get('content-length')) },
      prepare: (made: unknown) => transformed(config, transforms, made),
      options: config.unexpired,
      native: config,
    };
    try {
      const { response, error } = await sendGuarded(adapter, found, transportOf(config, send));
      if (error === undefined) return response;
      const why = describe401(response);
      if (why !== undefined) error.message += `. ${why}`;
      throw clean(error, config);
    } finally {
      end?.();
    }
  }

  return (config) => {
    const inner = config.adapter;
    // A config that is sent once more, as axios-retry does, brings its adapter along.
    if (isWrapped(inner, tokens)) return config;
    let transforms: Config['transformRequest'];
    const wrapper: Send = async (given) => {
      // A config that is sent once more has lost what errors conceal, and axios-retry switches the transforms off.
      for (const name of AGENTS) if (name in config && !(name in given)) given[name] = config[name] as never;
      transforms ??= given.transformRequest;
      return dispatch(given, getAdapter(inner ?? ['xhr', 'http', 'fetch'], given), transforms);
    };
    config.adapter = markWrapper(wrapper, { tokens, inner });
    return config;
  };
}
