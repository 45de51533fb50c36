import { AccessTokenError } from '@unexpired/core';
import type { CustomFetchOptions } from 'oauth4webapi';

/** What oauth4webapi sends its requests with. */
export type Send = (
  url: string,
  request: CustomFetchOptions<string, URLSearchParams | undefined>,
) => Promise<Response>;

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Sends nothing that was given up meanwhile, so that no refresh token is spent for nobody. */
export function sendWith(fetch: Fetch): Send {
  return async (url, request) => {
    if (request.signal?.aborted) {
      throw new AccessTokenError('ERR_REFRESH_FAILED', 'The request was given up before it was sent');
    }
    return fetch(url, request as RequestInit);
  };
}

/** The code or name of a foreign error; its message and what it carries may be anything. */
export function reasonOf(error: unknown): string {
  const { name, code, cause } = (error ?? {}) as {
    name?: unknown;
    code?: unknown;
    cause?: { code?: unknown };
  };
  const told = [cause?.code, code, name].find((word) => typeof word === 'string' && /^\w{1,80}$/.test(word));
  return (told as string | undefined) ?? 'unknown reason';
}
