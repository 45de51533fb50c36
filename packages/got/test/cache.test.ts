import { request as send, type RequestOptions as NativeOptions } from 'node:http';
import { expect, test } from '@jest/globals';
import { gotAuth } from '@unexpired/got';
import got from 'got';
import { bearerTokens, statuses } from '../../../test/world.ts';
import { errorOf, openScene } from './scene.ts';

const cacheable = (token: string | undefined): { headers: Record<string, string>; body: string } => ({
  headers: { 'Cache-Control': 'max-age=60' },
  body: `of ${token}`,
});

test('one cache gives no account the response of another', async () => {
  const { api, authorization, createSource } = await openScene();
  const accounts = ['ann', 'bob', 'ann'];
  const issued = {
    ann: await authorization.signIn({ account: 'ann' }),
    bob: await authorization.signIn({ account: 'bob' }),
  };
  const sources = new Map(
    Object.entries(issued).map(([account, tokens]) => [account, createSource({ account, tokens })]),
  );
  const client = got.extend(
    { cache: new Map() },
    gotAuth(({ account = '' }) => sources.get(account)),
  );
  api.always(({ bearerToken }) => cacheable(bearerToken));

  const seen: string[] = [];
  for (const account of accounts) {
    seen.push(await client(api.origin, { context: { unexpired: { account } } }).text());
  }

  expect(seen).toEqual([issued.ann, issued.bob, issued.ann].map(({ access_token: token }) => `of ${token}`));
});

test('what the server calls public is cached, and asks for no access token again', async () => {
  const { api, client, authorization } = await openScene();
  const cached = client.extend({ cache: new Map() });
  authorization.revokeAccessTokens();
  api.next({}, { headers: { 'Cache-Control': 'public, max-age=60' } });

  const first = await cached(api.origin);
  const second = await cached(api.origin);

  expect([first.isFromCache, second.isFromCache]).toEqual([false, true]);
  expect(statuses(api)).toEqual([401, 200]);
});

test('a request function of the user is called in both shapes, with a cache and without', async () => {
  const { api, client, authorization, first } = await openScene();
  const seen: unknown[] = [];
  const request = (url: unknown, options: unknown, callback?: never): unknown => {
    seen.push(url instanceof URL);
    return url instanceof URL ? send(url, options as NativeOptions, callback) : undefined;
  };
  for (const cache of [undefined, new Map()]) {
    authorization.revokeAccessTokens();
    await client(api.origin, { request: request as never, cache: cache as never });
  }

  expect(seen).toHaveLength(4);
  expect(statuses(api)).toEqual([401, 200, 401, 200]);
  expect(bearerTokens(api)[0]).toBe(first.access_token);
});

test('an error of a request with a cache shows no token', async () => {
  const { api, client, first } = await openScene();
  api.always({ respond: { status: 500 } });

  const error = await errorOf(client(api.origin, { cache: new Map() }));

  expect(JSON.stringify(error)).not.toContain(first.access_token);
});
