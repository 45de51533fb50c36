import { expect, test } from '@jest/globals';
import { axiosAuth } from '@unexpired/axios';
import { createTokenSource, type RequestOptions } from '@unexpired/core';
import axios, { type AxiosInstance, type AxiosRequestConfig } from 'axios';
import { errorOf, openScene } from './scene.ts';

const tokens = createTokenSource({
  origins: ['https://api.example.com'],
  refresh: () => ({ access_token: 'x' }),
});

test.each([
  [[], '`tokens` must be a token source or a function that resolves one, got undefined'],
  [[{}], '`tokens` must be a token source or a function that resolves one, got an object'],
  [[tokens, null], '`options` must be an object, got null'],
  [[tokens, { replaceAuthorization: 1 }], '`replaceAuthorization` must be true or false, got 1'],
  [[tokens, { replace: true }], '`replace` is not an option; there are: replaceAuthorization'],
])('%j is refused when the interceptor is made: %s', (args, message) => {
  expect(() => axiosAuth(...(args as unknown as [typeof tokens]))).toThrow(new TypeError(message));
});

test.each([
  [{ skip: 'yes' }, '`unexpired.skip` must be true or false, got a string'],
  [{ body: 'x' }, '`unexpired.body` must be a function, got a string'],
  [{ account: '' }, '`unexpired.account` must be a string that is not empty, got an empty string'],
  [{ minTtlMs: -1 }, '`unexpired.minTtlMs` must be a number of milliseconds from 0 to 2147483647, got -1'],
  [{ replaceAuthorization: 0 }, '`unexpired.replaceAuthorization` must be true or false, got 0'],
  [
    { retry: 1 },
    '`unexpired.retry` is not an option; there are: skip, body, account, minTtlMs, replaceAuthorization',
  ],
  [true, '`unexpired` must be an object, got true'],
  [
    { account: 'a' },
    '`unexpired.account` needs an adapter with a resolver, got one with a single token source',
  ],
])('the key unexpired with %j is refused before anything is sent: %s', async (unexpired, message) => {
  const { client, api } = await openScene();

  const error = await errorOf(client.get('/', { unexpired: unexpired as RequestOptions }));

  expect(error).toEqual(new TypeError(message));
  expect(api.requests).toEqual([]);
});

test('the key unexpired of an instance counts for its requests', async () => {
  const { client, api } = await openScene({ client: { unexpired: { skip: true }, validateStatus: null } });

  await client.get('/');
  await client.get('/', { unexpired: { skip: false } });

  expect(api.requests.map(({ status }) => status)).toEqual([401, 200]);
});

test('the types of axios know the key unexpired and its options', () => {
  const satisfied = { skip: true, body: () => 'x' } satisfies RequestOptions;
  const config: AxiosRequestConfig<string> = { unexpired: satisfied };
  const calls = (client: AxiosInstance): unknown[] => [
    client.get('/', { unexpired: { minTtlMs: 1 } }),
    client.post('/', {}, { unexpired: undefined }),
    // @ts-expect-error -- no option of this name
    client.get('/', { unexpired: { skipped: true } }),
    // @ts-expect-error -- not a boolean
    client.get('/', { unexpired: { skip: 1 } }),
    // @ts-expect-error -- no response interceptor
    client.interceptors.response.use(axiosAuth(tokens)),
    // @ts-expect-error -- no option of this name
    axiosAuth(tokens, { replace: true }),
    // @ts-expect-error -- no token source
    axiosAuth('token'),
  ];
  const create = (): AxiosInstance => axios.create({ unexpired: { skip: true } });

  expect([config.unexpired, calls, create]).toHaveLength(3);
});
