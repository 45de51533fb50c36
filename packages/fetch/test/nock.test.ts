import { beforeEach, expect, test } from '@jest/globals';
import type { TokenSource } from '@unexpired/core';
import { fetchAuth, type AuthFetch } from '@unexpired/fetch';
import nock from 'nock';
import { API, interceptAll, openTokens, sees } from '../../../test/intercepted.ts';

let tokens: TokenSource;
let authFetch: AuthFetch;

// Before anything is intercepted: what sends is looked up for each request.
beforeEach(() => {
  tokens = openTokens();
  authFetch = fetchAuth(tokens);
});

interceptAll();

test('an intercepted fetch sees both attempts of one call, and the refresh between them', async () => {
  const api = nock(API, sees('Bearer first')).post('/things', 'text').reply(401);
  const id = nock('https://id.example.com')
    .post('/token')
    .reply(200, { access_token: 'second', expires_in: 3600 });
  const replay = nock(API, sees('Bearer second')).post('/things', 'text').reply(201, 'made');

  const response = await authFetch(`${API}/things`, { method: 'POST', body: 'text' });

  expect([response.status, await response.text()]).toEqual([201, 'made']);
  for (const scope of [api, id, replay]) scope.done();
});

test('an outer function runs once for a call that is replayed', async () => {
  nock(API, sees('Bearer first')).get('/').reply(401);
  nock('https://id.example.com').post('/token').reply(200, { access_token: 'second', expires_in: 3600 });
  nock(API, sees('Bearer second')).get('/').reply(200);
  const seen: unknown[] = [];
  const traced = async (input: string): Promise<Response> => {
    seen.push(input);
    const response = await authFetch(input);
    seen.push(response.status);
    return response;
  };

  await traced(`${API}/`);

  expect(seen).toEqual([`${API}/`, 200]);
});

test('a function that rewrites the URL before the adapter decides where the access token goes', async () => {
  const badheaders = ['authorization'];
  nock('https://elsewhere.example', { badheaders }).get('/things').reply(200);
  const rewriting = (path: string): Promise<Response> =>
    authFetch(new URL(path, 'https://elsewhere.example'));

  expect((await rewriting('/things')).status).toBe(200);
});

test.each([
  'https://api.example.com.evil.example/',
  'http://api.example.com/',
  'https://api.example.com:8443/',
])('an origin that only looks like a listed one sees no access token: %s', async (url) => {
  const { origin } = new URL(url);
  const scope = nock(origin, { badheaders: ['authorization'] })
    .get('/')
    .reply(200);

  await authFetch(url);

  scope.done();
});
