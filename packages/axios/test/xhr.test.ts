import { openPage } from './page.ts';
import { inspect } from 'node:util';
import { afterEach, expect, test } from '@jest/globals';
import { bearerTokens, reasonsOf, serveResource, statuses } from '../../../test/world.ts';
import { errorOf, openScene } from './scene.ts';

afterEach(() => openPage('http://localhost/'));

test('a relative URL counts from the page', async () => {
  const { client, api, authorization } = await openScene({ api: { cors: true }, client: { baseURL: '/v1' } });
  openPage(`${api.origin}/app/index.html`);
  authorization.revokeAccessTokens();

  await client.get('items');

  expect(statuses(api)).toEqual([401, 200]);
  expect(api.requests.map(({ url }) => url)).toEqual(['/v1/items', '/v1/items']);
});

test('a relative URL of a page elsewhere has no access token', async () => {
  const { client } = await openScene({ client: { baseURL: '/v1' } });
  const other = await serveResource({ accepts: () => true, cors: true });
  openPage(other.origin);

  await client.get('items');

  expect(bearerTokens(other)).toEqual([undefined]);
});

test('a protocol-relative URL to the listed origin has the access token, to another it has not', async () => {
  const { client, api, first } = await openScene({ api: { cors: true } });
  const other = await serveResource({ accepts: () => true, cors: true });

  await client.get(api.origin.replace('http:', ''));
  await client.get(other.origin.replace('http:', ''));

  expect(bearerTokens(api)).toEqual([first.access_token]);
  expect(bearerTokens(other)).toEqual([undefined]);
});

test('the header of a fallback is not sent, since it would follow every redirect', async () => {
  const fallback = { header: 'X-Api-Key', value: 'static-key' };
  const { client, api, events } = await openScene({
    api: { cors: true },
    source: { fallback, tokens: undefined },
  });

  const error = await errorOf(client.get('/items'));

  expect(error.code).toBe('ERR_REAUTHENTICATION_REQUIRED');
  expect(api.requests).toEqual([]);
  expect(reasonsOf(events, 'request-not-authorized')).toEqual(['unsafe-fallback']);
});

test('errors show no token', async () => {
  const { client, api, first } = await openScene({ api: { cors: true } });
  api.next(500, { reset: 'request' });

  for (const error of [await errorOf(client.get('/items')), await errorOf(client.get('/items'))]) {
    expect(inspect(error, { depth: Infinity }) + JSON.stringify(error)).not.toContain(first.access_token);
    expect(error.request).toBeInstanceOf(XMLHttpRequest);
  }
});
