import { drain, type Transport } from '@unexpired/core';
import { getAdapter, type AxiosError, type AxiosHeaders, type AxiosResponse } from 'axios';
import { attemptOf, clean, isAbsolute, type Config } from './attempt.ts';

export type Send = (config: Config) => Promise<AxiosResponse>;

/** A response, and the error that brought it where axios makes it one. */
interface Outcome {
  readonly response: AxiosResponse<unknown, unknown>;
  readonly error?: AxiosError;
}

/** What the native requests of axios' adapters tell, each in its own way. */
interface NativeRequest {
  readonly res?: { readonly responseUrl?: string };
  readonly responseURL?: string;
  readonly writableEnded?: boolean;
  destroy(): void;
}

export function isAdapter(send: Send, name: 'http' | 'fetch', config: Config): boolean {
  try {
    return getAdapter(name, config) === send;
  } catch {
    return false;
  }
}

/** The adapter that was wrapped, for one call. */
export function transportOf(config: Config, send: Send): Transport<Outcome> {
  let attempts = 0;
  const Headers = config.headers.constructor as typeof AxiosHeaders;
  return {
    async send(authorization, value) {
      if (authorization === undefined) return { response: await send(config) };
      attempts += 1;
      const isFresh = attempts > 1 && config.unexpired?.body !== undefined;
      try {
        const response = await send(attemptOf(config, authorization, { value, isFresh }));
        response.config = config;
        return { response };
      } catch (cause) {
        const error = cause as AxiosError;
        if (typeof error === 'object' && error !== null) clean(error, config);
        if (!error?.response) throw error;
        return { response: error.response, error };
      }
    },
    facts({ response }) {
      const request = response.request as NativeRequest | undefined;
      const url = request?.res?.responseUrl ?? request?.responseURL;
      return {
        // axios-mock-adapter tells the URL that it was asked for, which may be relative.
        url: isAbsolute(url ?? '') ? url : undefined,
        status: response.status,
        header: (name) => Headers.from(response.headers as AxiosHeaders).get(name) as string | undefined,
        native: response,
      };
    },
    async discard({ response }) {
      void drain(response.data);
      // An upload that the 401 cut short would go on, into the replay where that has its connection.
      const request = response.request as NativeRequest | undefined;
      if (request?.writableEnded === false) request.destroy();
    },
  };
}
