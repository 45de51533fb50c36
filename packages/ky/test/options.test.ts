import { describe, expect, test } from '@jest/globals';
import { kyAuth } from '@unexpired/ky';
import ky from 'ky';
import { bearerTokens, rejectionOf, reasonsOf } from '../../../test/world.ts';
import { openScene } from './scene.ts';

describe('options of the adapter', () => {
  const { tokens } = { tokens: { authorize: () => undefined } as never };

  test.each([
    [
      '`tokens` must be a token source or a function that resolves one, got undefined',
      () => kyAuth(undefined as never),
    ],
    ['`options` must be an object, got null', () => kyAuth(tokens, null as never)],
    [
      '`replaceAuthorization` must be true or false, got a string',
      () => kyAuth(tokens, { replaceAuthorization: 'yes' as never }),
    ],
    [
      '`retry` is not an option; there are: replaceAuthorization',
      () => kyAuth(tokens, { retry: 1 } as never),
    ],
  ])('that are wrong are refused: %s', (message, create) => {
    expect(create).toThrow(new TypeError(message));
  });
});

describe('options of one request', () => {
  test.each([
    ['`unexpired` must be an object, got 5', 5],
    ['`unexpired.body` must be a function, got a string', { body: 'text' }],
    [
      '`unexpired.account` needs an adapter with a resolver, got one with a single token source',
      { account: 'ann' },
    ],
    [
      '`unexpired.skp` is not an option; there are: skip, body, account, minTtlMs, replaceAuthorization',
      { skp: true },
    ],
  ])('that are wrong reject it, and it is not retried: %s', async (message, unexpired) => {
    const { api, client } = await openScene();

    expect(await rejectionOf(client.get('things', { context: { unexpired } }))).toEqual(
      new TypeError(message),
    );
    expect(api.requests).toHaveLength(0);
  });

  test('may be given to all requests of an instance, and be replaced for one', async () => {
    const { api, client, first } = await openScene();
    const skipping = client.extend({ context: { unexpired: { skip: true }, other: 'kept' } });

    await skipping.get('things', { throwHttpErrors: false });
    await skipping.get('things', { context: { unexpired: {} } });

    expect(bearerTokens(api)).toEqual([undefined, first.access_token]);
  });

  test('may be set by an init hook after ours', async () => {
    const { api, client, events } = await openScene();

    await client.get('things', {
      throwHttpErrors: false,
      hooks: { init: [(options) => void (options.context = { unexpired: { skip: true } })] },
    });

    expect(bearerTokens(api)).toEqual([undefined]);
    expect(reasonsOf(events, 'request-not-authorized')).toEqual(['skip']);
  });
});

test('an Authorization that the caller set stands, in options, a Request, or a hook', async () => {
  const { api, client, authorization } = await openScene();
  const headers = { AUTHORIZATION: 'Bearer mine' };
  const options = { throwHttpErrors: false };
  const setting = ({ request }: { request: Request }): void =>
    request.headers.set('authorization', 'Bearer mine');

  await client.get('things', { ...options, headers });
  await client(new Request(api.origin, { headers }), options);
  await client.get('things', { ...options, hooks: { beforeRequest: [setting] } });

  expect(bearerTokens(api)).toEqual(['mine', 'mine', 'mine']);
  expect(authorization.exchanges).toHaveLength(0);
});

test('a resolver is asked by the URL that is sent, and the account', async () => {
  const { api, tokens, first } = await openScene();
  const seen: unknown[] = [];
  const client = ky.create({ prefix: api.origin }).extend(
    kyAuth(({ native, ...request }) => {
      seen.push(request, native instanceof Request);
      return tokens;
    }),
  );

  await client.delete('things', { searchParams: 'a=1', context: { unexpired: { account: 'ann' } } });

  expect(seen).toEqual([{ url: `${api.origin}/things?a=1`, method: 'DELETE', account: 'ann' }, true]);
  expect(bearerTokens(api)).toEqual([first.access_token]);
});

test('what the caller gave is left as it was', async () => {
  const { api, client, authorization } = await openScene();
  authorization.revokeAccessTokens();
  const headers = Object.freeze({ accept: 'text/plain' });
  const context = Object.freeze({ unexpired: Object.freeze({ minTtlMs: 1 }) });
  const request = new Request(`${api.origin}/things`, { headers });

  await client.get('things', Object.freeze({ headers, context }));
  await client(request);

  expect(request.headers.has('authorization')).toBe(false);
  expect(api.requests.every(({ headers: { accept } }) => accept === 'text/plain')).toBe(true);
});
