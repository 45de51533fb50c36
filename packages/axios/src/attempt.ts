import { conceal, originOf, type Authorization } from '@unexpired/core';
import type { AxiosError, AxiosHeaders, InternalAxiosRequestConfig } from 'axios';

export type Config = InternalAxiosRequestConfig;

const has = (value: unknown, method: string): boolean =>
  typeof (value as Record<string, unknown> | null | undefined)?.[method] === 'function';
const isStream = (value: unknown): boolean => has(value, 'pipe') || has(value, 'getReader');

/** As axios tells them. */
export const isAbsolute = (url: string): boolean => /^([a-z][a-z\d+\-.]*:)?\/\//i.test(url);

/** Where axios sends the request; without the params, which cannot change the origin. */
export function urlOf({ baseURL, url = '', allowAbsoluteUrls, socketPath }: Config): string {
  // Whoever listens on a local socket is not the origin that the URL names.
  if (socketPath) return '';
  if (!baseURL || (isAbsolute(url) && allowAbsoluteUrls !== false)) return url;
  return url === '' ? baseURL : `${baseURL.replace(/\/+$/, '')}/${url.replace(/^\/+/, '')}`;
}

/** A factory's body goes through the transforms once, as the first body did. */
function transformed(config: Config, headers: AxiosHeaders, body: unknown): unknown {
  const transforms = [config.transformRequest ?? []].flat();
  const data = transforms.reduce((value, each) => each.call(config, value, headers) as unknown, body);
  // That was the length of the first body. Nobody here knows a stream's, so it is taken to be the same.
  if (!isStream(data)) headers.delete('content-length');
  return data;
}

/** follow-redirects takes Authorization along to subdomains, and headers of other names anywhere. */
function keepHome(config: Config, url: string, name: string): NonNullable<Config['beforeRedirect']> {
  const placeOf = (next: Record<string, unknown>): string =>
    [next['protocol'], next['hostname'], next['port']].join();
  return (next, response, request) => {
    const headers = next['headers'] as Record<string, unknown>;
    const own = Object.entries(headers).filter(([key]) => key.toLowerCase() === name.toLowerCase());
    const place = placeOf(next);
    config.beforeRedirect?.(next, response, request);
    if (placeOf(next) === place && originOf(String(next['href'])) === originOf(url)) return;
    for (const [key, value] of own) if (headers[key] === value) delete headers[key];
  };
}

export interface AttemptBody {
  readonly value: unknown;
  /** Whether the caller's factory has just made it. */
  readonly isFresh: boolean;
}

/** What one attempt is sent with: a copy, so that the caller's config never holds the access token. */
export function attemptOf(
  config: Config,
  { headers: own, customHeader }: Authorization,
  body: AttemptBody,
): Config {
  const headers = new (config.headers.constructor as typeof AxiosHeaders)(
    config.headers,
  ) as Config['headers'];
  const data = body.isFresh ? transformed(config, headers, body.value) : body.value;
  headers.set(own, true);
  const url = urlOf(config);
  const attempt = {
    ...config,
    headers,
    data,
    beforeRedirect: keepHome(config, url, customHeader ?? 'authorization'),
  };
  if (customHeader !== undefined) attempt.fetchOptions = { ...config.fetchOptions, redirect: 'error' };
  // Some versions of axios do not know that option, and the URL that was judged is the one to send to.
  const isPinned = config.allowAbsoluteUrls === false && isAbsolute(config.url ?? '');
  return isPinned ? { ...attempt, url, baseURL: '' } : attempt;
}

/** Gives an error the caller's config back, and conceals what leads to native requests: they keep their headers' text. */
export function clean(error: AxiosError, config: Config): void {
  if (error.config !== undefined) error.config = config;
  conceal(error, 'request', 'event');
  conceal(config, 'httpAgent', 'httpsAgent', 'fetchOptions', ...(isStream(config.data) ? ['data'] : []));
  if (error.response === undefined) return;
  error.response.config = config;
  conceal(error.response, 'request', ...(isStream(error.response.data) ? ['data'] : []));
}
