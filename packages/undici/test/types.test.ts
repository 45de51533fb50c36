import { expect, test } from '@jest/globals';
import type { RequestOptions, TokenSource } from '@unexpired/core';
import { undiciAuth, type UndiciInterceptor } from '@unexpired/undici';
import { Agent, Client, fetch, interceptors, Pool, request, stream, type Dispatcher } from 'undici';

declare const tokens: TokenSource;
declare const dispatcher: Dispatcher;

/** Compiled, not run. */
const compiled = [
  (): Dispatcher => new Agent().compose(undiciAuth(tokens)),
  (): Dispatcher => new Pool('http://a.example').compose(undiciAuth(tokens), interceptors.retry()),
  (): Dispatcher => new Client('http://a.example').compose([undiciAuth(tokens), interceptors.redirect()]),
  (): UndiciInterceptor => undiciAuth(({ url }) => (url.startsWith('https:') ? tokens : undefined)),
  (): UndiciInterceptor => undiciAuth(async () => tokens, { replaceAuthorization: true }),
  (): Dispatcher.DispatcherComposeInterceptor => undiciAuth(tokens, { replaceAuthorization: undefined }),
  () => request('http://a.example', { dispatcher, unexpired: { skip: true, minTtlMs: 1 } }),
  () => request('http://a.example', { dispatcher, unexpired: undefined }),
  () =>
    stream(
      'http://a.example',
      { dispatcher, method: 'PUT', unexpired: { body: () => 'text' } },
      () => null as never,
    ),
  () =>
    dispatcher.request({ path: '/', method: 'GET', unexpired: { account: 'ann' } satisfies RequestOptions }),
  () => fetch('http://a.example', { dispatcher: new Agent().compose(undiciAuth(tokens)) }),
  // @ts-expect-error a token source is needed
  () => undiciAuth(),
  // @ts-expect-error no such option
  () => undiciAuth(tokens, { retries: 1 }),
  // @ts-expect-error an option of the wrong type
  () => undiciAuth(tokens, { replaceAuthorization: 'yes' }),
  // @ts-expect-error no such key
  () => request('http://a.example', { unexpired: { skp: true } }),
  // @ts-expect-error a body is a function that makes one
  () => request('http://a.example', { unexpired: { body: 'text' } }),
];

test('the types of undiciAuth are those of compose and of its requests', () => {
  expect(compiled).toHaveLength(16);
});
