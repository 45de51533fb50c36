import { expect, test } from '@jest/globals';
import type { RequestOptions, TokenSource } from '@unexpired/core';
import { fetchAuth, type AuthFetch, type FetchAuthOptions } from '@unexpired/fetch';
import { fetch as undiciFetch, Request as UndiciRequest, type Response as UndiciResponse } from 'undici';

declare const tokens: TokenSource;

/** Compiled, not run. */
const compiled = [
  (): typeof fetch => fetchAuth(tokens),
  (): AuthFetch => fetchAuth(({ url }) => (url.startsWith('https:') ? tokens : undefined)),
  (): AuthFetch => fetchAuth(async () => tokens, { replaceAuthorization: true }),
  (): AuthFetch => fetchAuth(tokens, { fetch: undefined }),
  (): AuthFetch => fetchAuth(tokens, { fetch: () => Promise.reject(new Error('mock')) }),
  (): Promise<Response> => fetchAuth(tokens)('/things', { unexpired: { skip: true, minTtlMs: 1 } }),
  (): Promise<Response> =>
    fetchAuth(tokens)(new URL('https://a.example'), { body: 'text', unexpired: undefined }),
  (): Promise<Response> =>
    fetchAuth(tokens)('/', { unexpired: { body: () => 'text' } satisfies RequestOptions as RequestOptions }),
  (): Promise<UndiciResponse> =>
    fetchAuth(tokens, { fetch: undiciFetch })(new UndiciRequest('https://a.example')),
  (): FetchAuthOptions => ({ fetch: globalThis.fetch, replaceAuthorization: undefined }),
  // @ts-expect-error a token source is needed
  () => fetchAuth(),
  // @ts-expect-error no such option
  () => fetchAuth(tokens, { retries: 1 }),
  // @ts-expect-error an option of the wrong type
  () => fetchAuth(tokens, { replaceAuthorization: 'yes' }),
  // @ts-expect-error no such key
  () => fetchAuth(tokens)('/', { unexpired: { skp: true } }),
  // @ts-expect-error a body is a function that makes one
  () => fetchAuth(tokens)('/', { unexpired: { body: 'text' } }),
  // @ts-expect-error not an input of fetch
  () => fetchAuth(tokens)(5),
  // @ts-expect-error the global fetch takes no Request of npm undici
  () => fetchAuth(tokens)(new UndiciRequest('https://a.example')),
];

test('the types of fetchAuth are those of the fetch that it wraps', () => {
  expect(compiled).toHaveLength(17);
});
