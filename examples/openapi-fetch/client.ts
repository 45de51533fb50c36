import type { TokenSource } from '@unexpired/core';
import { fetchAuth } from '@unexpired/fetch';
import createClient, { type Client } from 'openapi-fetch';
import type { paths } from './paths.ts';

export function createApi(baseUrl: string, tokens: TokenSource): Client<paths> {
  return createClient<paths>({ baseUrl, fetch: fetchAuth(tokens) });
}
