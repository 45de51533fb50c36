import { conceal, drain, originOf, type Authorization, type ResponseFacts } from '@unexpired/core';
import type { AxiosError, AxiosHeaders, AxiosResponse, InternalAxiosRequestConfig } from 'axios';

export type Config = InternalAxiosRequestConfig;
type Hop = Record<string, unknown>;

const isAbsolute = (url = ''): boolean => /^([a-z][a-z\d+\-.]*:)?\/\//i.test(url);

function isStream(value: unknown): boolean {
  const { pipe, getReader } = (value ?? {}) as Record<string, unknown>;
  return typeof pipe === 'function' || typeof getReader === 'function';
}

/** Where axios sends the request, without the params, which cannot change the origin. */
export function urlOf({ baseURL, url = '', allowAbsoluteUrls, socketPath }: Config): string {
  // Whoever listens on a local socket is not the origin that the URL names.
  if (socketPath) return '';
  if (!baseURL || (isAbsolute(url) && allowAbsoluteUrls !== false)) return url;
  return url === '' ? baseURL : `${baseURL.replace(/\/+$/, '')}/${url.replace(/^\/+/, '')}`;
}

/** By the class of the caller's axios, which may not be the one that is imported here. */
export const headersOf = (config: Config, from: unknown = config.headers): AxiosHeaders =>
  new (config.headers.constructor as typeof AxiosHeaders)(from as AxiosHeaders);

/** follow-redirects takes Authorization along to subdomains, and headers of other names anywhere. */
function keepHome(config: Config, name: string): NonNullable<Config['beforeRedirect']> {
  const placeOf = (hop: Hop): string => [hop['protocol'], hop['hostname'], hop['port']].join();
  return (hop: Hop, response, request) => {
    const headers = hop['headers'] as Hop;
    const own = Object.entries(headers).filter(([key]) => key.toLowerCase() === name.toLowerCase());
    const place = placeOf(hop);
    config.beforeRedirect?.(hop, response, request);
    if (placeOf(hop) === place && originOf(String(hop['href'])) === originOf(urlOf(config))) return;
    for (const [key, value] of own) if (headers[key] === value) delete headers[key];
  };
}

/** The config of one attempt: a copy, since the caller's must never hold the access token. */
export function attemptOf(config: Config, { headers, customHeader }: Authorization, data: unknown): Config {
  const beforeRedirect = keepHome(config, customHeader ?? 'authorization');
  const attempt = { ...config, data, beforeRedirect, headers: headersOf(config).set(headers, true) };
  if (customHeader !== undefined) attempt.fetchOptions = { ...config.fetchOptions, redirect: 'error' };
  // Older versions of axios do not know the option: they get the URL that was judged.
  if (config.allowAbsoluteUrls === false && isAbsolute(config.url)) {
    Object.assign(attempt, { url: urlOf(config), baseURL: '' });
  }
  return attempt as Config;
}

/** A factory's body goes through the transforms once, as the first body did, and tells its length itself. */
export function transformed(config: Config, body: unknown): unknown {
  const transforms = [config.transformRequest ?? []].flat();
  const data = transforms.reduce((value, each) => each.call(config, value, config.headers) as unknown, body);
  // Nobody here knows how long a stream is: it is taken to be as long as the first.
  if (!isStream(data)) config.headers.delete('content-length');
  return data;
}

/** What the native requests of axios' adapters tell, each in its own way. */
interface NativeRequest {
  readonly res?: { readonly responseUrl?: string };
  readonly responseURL?: string;
  readonly writableEnded?: boolean;
  destroy(): void;
}

export function factsOf(config: Config, response: AxiosResponse): ResponseFacts {
  const request = response.request as NativeRequest | undefined;
  const url = request?.res?.responseUrl ?? request?.responseURL;
  const header = (name: string): string => headersOf(config, response.headers).get(name) as string;
  // axios-mock-adapter tells the URL that it was asked for, which may be relative.
  return { url: isAbsolute(url) ? url : undefined, status: response.status, header, native: response };
}

export function discard(response: AxiosResponse): void {
  const request = response.request as NativeRequest | undefined;
  void drain(response.data);
  // An upload that the 401 cut short would go on, into the replay where that has its connection.
  if (request?.writableEnded === false) request.destroy();
}

/** Agents lead to the native requests that are under way, and those keep the text of their headers. */
export const AGENTS = ['httpAgent', 'httpsAgent', 'fetchOptions'] as const;

/** Gives an error the caller's config back, and conceals what leads to native requests. */
export function clean(error: AxiosError, config: Config): AxiosError {
  if (error.config !== undefined) error.config = config;
  conceal(error, 'request', 'event');
  conceal(config, ...AGENTS, ...(isStream(config.data) ? ['data'] : []));
  if (error.response === undefined) return error;
  error.response.config = config;
  conceal(error.response, 'request', ...(isStream(error.response.data) ? ['data'] : []));
  return error;
}
