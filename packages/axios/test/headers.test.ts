import { describe, expect, test } from '@jest/globals';
import axios, { type AxiosRequestConfig } from 'axios';
import { reasonsOf, statuses } from '../../../test/world.ts';
import { errorOf, openScene } from './scene.ts';

describe("the caller's own Authorization stands", () => {
  test.each([
    ['of the request', { headers: { Authorization: 'Own' } }, ['Own']],
    ['in lower case', { headers: { authorization: 'Own' } }, ['Own']],
    ['as false, which is none', { headers: { Authorization: false } }, []],
    ['as null, which is none', { headers: { Authorization: null } }, []],
  ])('%s', async (_, config, expected) => {
    const { client, api, events } = await openScene();

    await errorOf(client.get('/items', config as AxiosRequestConfig));

    expect(api.requests.map(({ authorization }) => authorization)).toEqual([expected]);
    expect(reasonsOf(events, 'request-not-authorized')).toEqual(['own-header']);
  });

  test('of the instance', async () => {
    const { client, api } = await openScene({ client: { headers: { common: { Authorization: 'Own' } } } });

    await errorOf(client.get('/items'));

    expect(api.requests[0]?.authorization).toEqual(['Own']);
  });

  test('of an interceptor that ran before', async () => {
    const { client, api } = await openScene();
    client.interceptors.request.use((config) => {
      config.headers.set('Authorization', 'Own');
      return config;
    });

    await errorOf(client.get('/items'));

    expect(api.requests[0]?.authorization).toEqual(['Own']);
  });
});

test.each([
  ['Authorization', 'Own'],
  ['authorization', 'Own'],
  ['AUTHORIZATION', false],
])('%s: %s is replaced where the adapter is told so, and there is one line of it', async (name, value) => {
  const { client, api, first, authorization } = await openScene({ adapter: { replaceAuthorization: true } });
  const headers = { [name]: value } as Record<string, string>;

  await client.get('/items', { headers });
  authorization.revokeAccessTokens();
  await client.get('/items', { headers });

  const { access_token: next } = authorization.exchanges[0]!.issued!;
  expect(api.requests.map((request) => request.authorization)).toEqual([
    [`Bearer ${first.access_token}`],
    [`Bearer ${first.access_token}`],
    [`Bearer ${next}`],
  ]);
});

test('a request decides on its own whether its Authorization is replaced', async () => {
  const { client, api, first } = await openScene({ adapter: { replaceAuthorization: true } });
  const headers = { Authorization: 'Own' };

  await errorOf(client.get('/items', { headers, unexpired: { replaceAuthorization: false } }));
  await client.get('/items', { headers, unexpired: { replaceAuthorization: undefined } });

  expect(api.requests.map(({ authorization }) => authorization)).toEqual([
    ['Own'],
    [`Bearer ${first.access_token}`],
  ]);
});

describe('basic authentication, which axios prefers to any header, is left alone', () => {
  const basic = `Basic ${btoa('user:password')}`;

  test.each([false, true])('in `auth`, with replaceAuthorization %s', async (replaceAuthorization) => {
    const { client, api, events, authorization } = await openScene({ adapter: { replaceAuthorization } });

    await errorOf(client.get('/items', { auth: { username: 'user', password: 'password' } }));

    expect(api.requests.map((request) => request.authorization)).toEqual([[basic]]);
    expect(reasonsOf(events, 'request-not-authorized')).toEqual(['own-header']);
    expect(authorization.exchanges).toEqual([]);
  });

  test('in the URL', async () => {
    const { client, api, events } = await openScene();

    await errorOf(client.get(api.origin.replace('//', '//user:password@')));

    expect(api.requests.map((request) => request.authorization)).toEqual([[basic]]);
    expect(reasonsOf(events, 'request-not-authorized')).toEqual(['own-header']);
  });
});

test('twenty requests with one refused access token cost one refresh and one replay each', async () => {
  const { client, api, authorization } = await openScene();
  authorization.revokeAccessTokens();

  await Promise.all(Array.from({ length: 20 }, (_, i) => client.post('/items', { i })));

  expect(authorization.exchanges).toHaveLength(1);
  expect(statuses(api).filter((status) => status === 200)).toHaveLength(20);
  expect(api.requests.length).toBeLessThanOrEqual(40);
});

test('a late 401 for an old access token costs no refresh', async () => {
  const { client, api, authorization } = await openScene();
  api.next({ hold: 'request' });
  authorization.revokeAccessTokens();
  const late = client.get('/late');
  await api.requestArrived();
  await client.get('/items');
  api.release();

  await late;

  expect(authorization.exchanges).toHaveLength(1);
  expect(statuses(api)).toEqual([401, 401, 200, 200]);
});

test("an attempt's config inherits nothing from a polluted prototype, and has all that the caller's has", async () => {
  const { client } = await openScene();
  const own = Symbol('own');
  const given: object[] = [];
  client.interceptors.request.use((config) => Object.assign(config, { [own]: 1 }));
  const http = axios.getAdapter('http');

  await client.get('/items', { adapter: (config) => (given.push(config), http(config)) });

  expect(given).toHaveLength(1);
  expect(Object.getPrototypeOf(given[0])).toBeNull();
  expect(given[0]).toMatchObject({ method: 'get', [own]: 1 });
});
