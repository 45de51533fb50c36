import { expect, test } from '@jest/globals';
import type { RequestOptions, TokenSource } from '@unexpired/core';
import { kyAuth } from '@unexpired/ky';
import ky, { type KyInstance, type Options, type ResponsePromise } from 'ky';

declare const tokens: TokenSource;
declare const client: KyInstance;

/** Compiled, not run. */
const compiled = [
  (): KyInstance => ky.extend(kyAuth(tokens)),
  (): KyInstance => ky.create(kyAuth(tokens, { replaceAuthorization: true })),
  (): KyInstance => ky.extend(kyAuth(({ url }) => (url.startsWith('https:') ? tokens : undefined))),
  (): KyInstance => ky.extend(() => kyAuth(async () => tokens)),
  (): Options => ({ ...kyAuth(tokens), baseUrl: 'https://a.example' }),
  (): ResponsePromise =>
    client.get('/', { context: { unexpired: { skip: true, minTtlMs: 1 } satisfies RequestOptions } }),
  // @ts-expect-error a token source is needed
  () => kyAuth(),
  // @ts-expect-error no such option
  () => kyAuth(tokens, { retries: 1 }),
  // @ts-expect-error an option of the wrong type
  () => kyAuth(tokens, { replaceAuthorization: 'yes' }),
  // @ts-expect-error no such key
  () => client.get('/', { context: { unexpired: { skp: true } satisfies RequestOptions } }),
  // @ts-expect-error a body is a function that makes one
  () => client.get('/', { context: { unexpired: { body: 'text' } satisfies RequestOptions } }),
];

test('the types of kyAuth are those that ky takes', () => {
  expect(compiled).toHaveLength(11);
});
