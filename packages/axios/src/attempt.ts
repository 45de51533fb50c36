import { conceal, confine, isOneShot, type Authorization, type ResponseFacts } from '@unexpired/core';
import type { AxiosError, AxiosHeaders, AxiosResponse, InternalAxiosRequestConfig } from 'axios';

export type Config = InternalAxiosRequestConfig;
type Hop = Record<string, unknown>;

/** What the native requests of axios' adapters tell, each in its own way. */
export interface NativeRequest {
  readonly res?: { readonly responseUrl?: string };
  readonly responseURL?: string;
  readonly writableEnded?: boolean;
  destroy(): void;
}

const isAbsolute = (url = ''): boolean => /^([a-z][a-z\d+\-.]*:)?\/\//i.test(url);

/** Where axios sends the request, without the params, which cannot change the origin. */
export function urlOf({ baseURL, url = '', allowAbsoluteUrls, socketPath }: Config): string {
  // Whoever listens on a local socket is not the origin that the URL names.
  if (socketPath) return '';
  if (!baseURL || (isAbsolute(url) && allowAbsoluteUrls !== false)) return url;
  return url === '' ? baseURL : `${baseURL.replace(/\/+$/, '')}/${url.replace(/^\/+/, '')}`;
}

/** By the class of the caller's axios, which may not be the one that is imported here. */
const headersOf = ({ headers }: Config, content: unknown = headers): AxiosHeaders =>
  new (headers.constructor as typeof AxiosHeaders)(content as AxiosHeaders);

/** The config of one attempt: a copy, since the caller's must never hold the access token. */
export function attemptOf(config: Config, authorization: Authorization, data: unknown): Config {
  const headers = headersOf(config).set(authorization.headers, true);
  const attempt = { ...config, headers, data } as Config;
  // follow-redirects takes Authorization along to subdomains, and headers of other names anywhere.
  attempt.beforeRedirect = (hop: Hop, response, request) => {
    const place = [hop['protocol'], hop['hostname'], hop['port']].join();
    config.beforeRedirect?.(hop, response, request);
    const stays = place === [hop['protocol'], hop['hostname'], hop['port']].join();
    confine(authorization, { url: stays ? String(hop['href']) : '', headers: hop['headers'] as Hop });
  };
  if (authorization.customHeader !== undefined) {
    attempt.fetchOptions = { ...config.fetchOptions, redirect: 'error' };
  }
  // Older versions of axios do not know the option: they get the URL that was judged.
  if (config.allowAbsoluteUrls === false && isAbsolute(config.url)) {
    Object.assign(attempt, { url: urlOf(config), baseURL: '' });
  }
  return attempt;
}

/** A factory's body goes through the transforms once, as the first body did. */
export function transformed(config: Config, transforms: Config['transformRequest'], made: unknown): unknown {
  const all = [transforms ?? []].flat();
  const data = all.reduce((value, each) => each.call(config, value, config.headers) as unknown, made);
  // That was the length of the first body. Nobody here knows a stream's: it is taken to be the same.
  if (!isOneShot({ value: data })) config.headers.delete('content-length');
  return data;
}

export function factsOf(config: Config, response: AxiosResponse): ResponseFacts {
  const request = response.request as NativeRequest | undefined;
  const url = request?.res?.responseUrl ?? request?.responseURL;
  const header = (name: string): string => headersOf(config, response.headers).get(name) as string;
  // axios-mock-adapter tells the URL that it was asked for, which may be relative.
  return { url: isAbsolute(url) ? url : undefined, status: response.status, header, native: response };
}

/** Agents lead to the native requests that are under way, and those keep the text of their headers. */
export const AGENTS = ['httpAgent', 'httpsAgent', 'fetchOptions'] as const;

/** Gives an error the caller's config back, and conceals what leads to native requests. */
export function clean(error: AxiosError, config: Config): AxiosError {
  const { response } = error;
  const streamIn = (value: unknown): string[] => (isOneShot({ value }) ? ['data'] : []);
  if (error.config !== undefined) error.config = config;
  conceal(error, 'request', 'event');
  conceal(config, ...AGENTS, ...streamIn(config.data));
  if (response !== undefined) conceal(response, 'request', ...streamIn(response.data));
  return error;
}
