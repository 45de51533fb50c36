import { beforeEach, expect, test } from '@jest/globals';
import type { TokenSource } from '@unexpired/core';
import { gotAuth } from '@unexpired/got';
import got, { type Got } from 'got';
import nock from 'nock';
import { API, interceptAll, openTokens, sees } from '../../../test/intercepted.ts';

let tokens: TokenSource;
let client: Got;

// Before anything is intercepted: what sends is looked up for each request.
beforeEach(() => {
  tokens = openTokens();
  client = got.extend({ retry: { limit: 0 } }, gotAuth(tokens)) as Got;
});

interceptAll();

test('an intercepted got sees both attempts of one call, and the refresh between them', async () => {
  const api = nock(API, sees('Bearer first')).post('/things', { a: 1 }).reply(401);
  const id = nock('https://id.example.com')
    .post('/token')
    .reply(200, { access_token: 'second', expires_in: 3600 });
  const replay = nock(API, sees('Bearer second')).post('/things', { a: 1 }).reply(201, 'made');

  const { statusCode, body } = await client.post(`${API}/things`, { json: { a: 1 } });

  expect([statusCode, body]).toEqual([201, 'made']);
  for (const scope of [api, id, replay]) scope.done();
});

test('a redirect from https to a place that is not listed shows no access token there', async () => {
  nock(API, sees('Bearer first')).get('/').reply(302, undefined, { Location: 'https://other.example.com/' });
  const other = nock('https://other.example.com', { badheaders: ['authorization'] })
    .get('/')
    .reply(200, 'open');

  expect(await client(API).text()).toBe('open');
  other.done();
});
