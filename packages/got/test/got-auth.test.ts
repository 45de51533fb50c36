import { expect, test } from '@jest/globals';
import type { RequestOptions, TokenSource } from '@unexpired/core';
import { gotAuth } from '@unexpired/got';
import got, { type ExtendOptions, type Got, type RequestPromise } from 'got';
import { openScene } from './scene.ts';

declare const tokens: TokenSource;

/** Compiled, not run. */
const compiled = [
  (): ExtendOptions => gotAuth(tokens),
  (): Got => got.extend(gotAuth(tokens)),
  (): ExtendOptions => gotAuth(({ url }) => (url.startsWith('https:') ? tokens : undefined)),
  (): ExtendOptions => gotAuth(async () => tokens, { replaceAuthorization: true }),
  (): ExtendOptions => gotAuth(tokens, { replaceAuthorization: undefined }),
  (): RequestPromise<{ a: number }> => got.extend(gotAuth(tokens)).get('').json<{ a: number }>(),
  () => got('/', { context: { unexpired: { skip: true } satisfies RequestOptions } }),
  // @ts-expect-error a token source is needed
  () => gotAuth(),
  // @ts-expect-error no such option
  () => gotAuth(tokens, { retries: 1 }),
  // @ts-expect-error an option of the wrong type
  () => gotAuth(tokens, { replaceAuthorization: 'yes' }),
  // @ts-expect-error no such key
  () => got('/', { context: { unexpired: { skp: true } satisfies RequestOptions } }),
];

test('what gotAuth returns are options for extend', () => {
  expect(compiled).toHaveLength(11);
});

test('wrong arguments are TypeErrors', async () => {
  const { tokens: source } = await openScene();

  expect(() => gotAuth({} as TokenSource)).toThrow(
    new TypeError('`tokens` must be a token source or a function that resolves one, got an object'),
  );
  expect(() => gotAuth(source, { retries: 1 } as object)).toThrow(/`retries`/);
});

test('a wrong option of a request is thrown at once, as for streams', async () => {
  const { client, api } = await openScene();
  const init = { context: { unexpired: { skip: 'yes' } } };

  expect(() => client(api.origin, init)).toThrow(/`unexpired.skip` must be true or false/);
  expect(() => client.stream(api.origin, init)).toThrow(/`unexpired.skip` must be true or false/);
});

test('a context of the user is neither changed nor shared', async () => {
  const { client, api } = await openScene();
  const context = { mine: 1 };
  const seen: unknown[] = [];

  await client(api.origin, {
    context,
    hooks: { beforeRequest: [(options) => void seen.push(options.context)] },
  });

  expect(context).toEqual({ mine: 1 });
  expect(seen).toEqual([{ mine: 1 }]);
  expect(client.defaults.options.hooks.beforeRequest).toEqual([]);
});

test('a resolver is given the request as got has it, after the hooks', async () => {
  const { api, tokens: source } = await openScene();
  const seen: unknown[] = [];
  const client = got.extend(
    gotAuth(({ url, method, account, native }) => {
      seen.push(url, method, account, (native as { responseType: string }).responseType);
      return source;
    }),
  );
  const move = (options: { url?: unknown }): void => {
    options.url = `${api.origin}/moved`;
  };

  await client.put(api.origin, {
    responseType: 'json',
    context: { unexpired: { account: 'ann' } },
    hooks: { beforeRequest: [move] },
  });

  expect(seen).toEqual([`${api.origin}/moved`, 'PUT', 'ann', 'json']);
});
