import type { TokenSource } from '@unexpired/core';
import { gotAuth } from '@unexpired/got';
import got, { type Got } from 'got';

export function createApi(prefixUrl: string, tokens: TokenSource): Got {
  return got.extend({ prefixUrl, responseType: 'json', timeout: { request: 10_000 } }, gotAuth(tokens));
}

/** The items of all pages, each of which names the next in its `Link` header. */
export function listReports(api: Got): AsyncIterableIterator<string> {
  return api.paginate<string>('reports');
}
