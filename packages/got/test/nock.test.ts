import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createTokenSource, type TokenSource } from '@unexpired/core';
import { gotAuth } from '@unexpired/got';
import got, { type Got } from 'got';
import nock from 'nock';

const API = 'https://api.example.com';

let tokens: TokenSource;
let client: Got;

beforeEach(() => {
  tokens = createTokenSource({
    origins: [API],
    refresh: () => fetch('https://id.example.com/token', { method: 'POST' }),
    tokens: { access_token: 'first', refresh_token: 'r1', expires_in: 3600 },
  });
  client = got.extend({ retry: { limit: 0 } }, gotAuth(tokens)) as Got;
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
