import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createTokenSource, type TokenSource } from '@unexpired/core';
import { fetchAuth, type AuthFetch } from '@unexpired/fetch';
import nock from 'nock';

const API = 'https://api.example.com';

let tokens: TokenSource;
let authFetch: AuthFetch;

beforeEach(() => {
  tokens = createTokenSource({
    origins: [API],
    refresh: () => fetch('https://id.example.com/token', { method: 'POST' }),
    tokens: { access_token: 'first', refresh_token: 'r1', expires_in: 3600 },
  });
  // Before anything is intercepted: what sends is looked up for each request.
  authFetch = fetchAuth(tokens);
  // It takes over what all tests of this process send through: only as long as a test here runs.
  if (!nock.isActive()) nock.activate();
  nock.disableNetConnect();
});

afterEach(async () => {
  nock.cleanAll();
  nock.enableNetConnect();
  nock.restore();
  await tokens.close();
});

function sees(authorization: string): nock.Options {
  return { reqheaders: { authorization } };
}

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
