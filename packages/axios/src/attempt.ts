import { conceal, confine, drain, isOneShot, type Authorization, type ResponseFacts } from '@unexpired/core';
import type { AxiosError, AxiosHeaders, AxiosResponse, InternalAxiosRequestConfig } from 'axios';

export type Config = InternalAxiosRequestConfig;
type Hop = Record<string, unknown>;

/** What the native requests of axios' adapters tell, each in its own way. */
interface NativeRequest {
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
const newHeaders = ({ headers }: Config, content?: unknown): AxiosHeaders =>
  new (headers.constructor as typeof AxiosHeaders)(content as AxiosHeaders);

/** Without a prototype where it has none: nothing is inherited from a polluted one. A spread takes five times as long. */
function copyOf(config: Config): Config {
  const copy = Object.create(Object.getPrototypeOf(config) as object | null) as Record<PropertyKey, unknown>;
  for (const key of Reflect.ownKeys(config)) copy[key] = config[key as keyof Config];
  return copy as unknown as Config;
}

/** The config of one attempt: a copy, since the caller's must never hold the access token. */
export function attemptOf(config: Config, authorization: Authorization, data: unknown): Config {
  // What was parsed once is not parsed again.
  const headers = Object.assign(newHeaders(config), config.headers);
  headers.delete('authorization');
  headers.set(authorization.headers);
  const attempt: Config = Object.assign(copyOf(config), { headers, data });
  // follow-redirects takes Authorization along to subdomains, and headers of other names anywhere.
  attempt.beforeRedirect = (hop: Hop, response, request) => {
    const place = [hop['protocol'], hop['hostname'], hop['port']].join();
    config.beforeRedirect?.(hop, response, request);
    const stays = place === [hop['protocol'], hop['hostname'], hop['port']].join();
    confine(authorization, { url: stays ? String(hop['href']) : undefined, headers: hop['headers'] as Hop });
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

type Transform = (this: Config, ...args: readonly unknown[]) => unknown;

function run(config: Config, transforms: unknown, [data, ...rest]: readonly unknown[]): unknown {
  const all = [transforms ?? []].flat() as Transform[];
  return all.reduce((value, each) => each.call(config, value, ...rest), data);
}

/** A factory's body goes through the transforms once, as the first body did. */
export function transformed(config: Config, transforms: Config['transformRequest'], made: unknown): unknown {
  const data = run(config, transforms, [made, config.headers]);
  // That was the length of the first body. Nobody here knows a stream's: it is taken to be the same.
  if (!isOneShot({ value: data })) config.headers.delete('content-length');
  return data;
}

export function factsOf(config: Config, response: AxiosResponse): ResponseFacts {
  const request = response.request as NativeRequest | undefined;
  const url = request?.res?.responseUrl ?? request?.responseURL;
  const header = (name: string): string => newHeaders(config, response.headers).get(name) as string;
  // axios-mock-adapter tells the URL that it was asked for, which may be relative.
  return { url: isAbsolute(url) ? url : undefined, status: response.status, header, native: response };
}

export function discard(response: AxiosResponse, enough: AbortSignal): void {
  void drain(response.data, enough);
  const request = response.request as NativeRequest | undefined;
  // An upload that the 401 cut short would go on, into the replay where that has its connection.
  if (request?.writableEnded === false) request.destroy();
}

/** Agents lead to the native requests that are under way, and those keep the text of their headers. */
export const AGENTS = ['httpAgent', 'httpsAgent', 'fetchOptions', 'transport'] as const;

const streamIn = ({ data }: { data?: unknown }): string[] => (isOneShot({ value: data }) ? ['data'] : []);

/** Gives an error of axios the caller's config back, and conceals what leads to native requests. */
export function clean(thrown: unknown, config: Config): AxiosError {
  const error = thrown as AxiosError;
  if (error?.config === undefined) return error;
  // An upload that is too long fails with an error of axios inside of another.
  if (error.cause !== undefined && error.cause !== thrown) clean(error.cause, config);
  error.config = config;
  conceal(error, 'request');
  conceal(config, ...AGENTS, ...streamIn(config));
  if (error.response !== undefined) conceal(error.response, 'request', ...streamIn(error.response));
  return error;
}

/** The same for a response, and for the errors that axios makes of it later: of its stream, and of its transforms. */
export function cleanLater(config: Config, response: AxiosResponse): AxiosResponse {
  const { transformResponse } = config;
  const stream = response.data as { on?: (event: 'error', listener: (error: unknown) => void) => void };
  if (isOneShot({ value: stream })) stream.on?.('error', (error) => void clean(error, config));
  config.transformResponse = (...args) => {
    config.transformResponse = transformResponse!;
    try {
      return run(config, transformResponse, args);
    } catch (error) {
      throw clean(error, config);
    }
  };
  return Object.assign(response, { config });
}
