import { beforeEach, expect, test } from '@jest/globals';
import type { TokenSource } from '@unexpired/core';
import { kyAuth } from '@unexpired/ky';
import ky, { type KyInstance } from 'ky';
import nock from 'nock';
import { API, interceptAll, openTokens, sees } from '../../../test/intercepted.ts';

let tokens: TokenSource;
let client: KyInstance;

// Before anything is intercepted: what sends is looked up for each request.
beforeEach(() => {
  tokens = openTokens();
  client = ky.create({ baseUrl: API }).extend(kyAuth(tokens));
});

interceptAll();

test('an intercepted ky sends both attempts of one call, and the refresh between them', async () => {
  const api = nock(API, sees('Bearer first')).post('/things?page=1', { a: 1 }).reply(401);
  const id = nock('https://id.example.com')
    .post('/token')
    .reply(200, { access_token: 'second', expires_in: 3600 });
  const replay = nock(API, sees('Bearer second')).post('/things?page=1', { a: 1 }).reply(201, { made: true });

  const made = await client.post('things', { json: { a: 1 }, searchParams: { page: 1 } }).json();

  expect(made).toEqual({ made: true });
  for (const scope of [api, id, replay]) scope.done();
});

test('a method shortcut asks both times for what it reads', async () => {
  const asks = { accept: 'application/json', 'x-mine': 'kept' };
  const api = nock(API, { reqheaders: { ...asks, authorization: 'Bearer first' } })
    .get('/things')
    .reply(401);
  nock('https://id.example.com').post('/token').reply(200, { access_token: 'second', expires_in: 3600 });
  const replay = nock(API, { reqheaders: { ...asks, authorization: 'Bearer second' } })
    .get('/things')
    .reply(200, '[]');

  expect(await client.get('things', { headers: { 'X-Mine': 'kept' } }).json()).toEqual([]);
  for (const scope of [api, replay]) scope.done();
});

test('the key of one request goes no further than the adapter', async () => {
  const scope = nock(API, { badheaders: ['authorization'] })
    .get('/health')
    .reply(200, 'well');

  const text = await client.get('health', { context: { unexpired: { skip: true } } }).text();

  expect(text).toBe('well');
  scope.done();
});

test.each([
  'https://api.example.com.evil.example/',
  'http://api.example.com/',
  'https://api.example.com:8443/',
])('an origin that only looks like a listed one sees no access token: %s', async (url) => {
  const scope = nock(new URL(url).origin, { badheaders: ['authorization'] })
    .get('/')
    .reply(200);

  await client.get(url);

  scope.done();
});
