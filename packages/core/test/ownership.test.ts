import { beforeEach, expect, test } from '@jest/globals';
import { explain401, type Binding, type TokenResponse, type TokenSet } from '@unexpired/core';
import { createPlace, type Place } from './place.ts';
import {
  API,
  authorize,
  createAgedScene,
  createScene,
  errorOf,
  EXPIRED_MS,
  refuse,
  scriptedRefresh,
  tokens,
} from './scene.ts';

let place: Place;

beforeEach(() => {
  place = createPlace();
});

const tokensOf = (sub: string, generation: number): TokenResponse =>
  tokens(generation, { id_token: `e30.${btoa(JSON.stringify({ sub }))}.` });

test('a request that was made as one person is not replayed as another who signed in meanwhile', async () => {
  const { source, refresh } = createScene({ tokens: tokensOf('alice', 1) });
  const sent = await authorize(source);
  const native = {};

  await source.signIn(tokensOf('bob', 5));

  expect(await refuse(source, sent, { native })).toBeUndefined();
  expect(explain401(native)).toMatchObject({ reason: 'refresh-failed', fresh: true });
  expect(refresh.calls).toHaveLength(0);
});

test('a request that was made as one person is not replayed as another who signed in during its refresh', async () => {
  const { source, refresh } = createScene({ tokens: tokensOf('alice', 1) });
  const exchange = Promise.withResolvers<TokenResponse>();
  refresh.next(() => exchange.promise);
  const replaying = refuse(source, await authorize(source));
  await new Promise(setImmediate);

  await source.signIn(tokensOf('bob', 5));
  exchange.resolve(tokensOf('alice', 2));

  expect(await replaying).toBeUndefined();
});

test('a request is replayed for the person who signed in again', async () => {
  const { source } = createScene({ tokens: tokensOf('alice', 1) });
  const sent = await authorize(source);

  await source.signIn(tokensOf('alice', 5));

  expect((await refuse(source, sent))?.headers).toEqual({ authorization: 'Bearer access-5' });
});

test('tokens of an answer about another subject are given back', async () => {
  const revoked: TokenSet[] = [];
  const scene = await createAgedScene(EXPIRED_MS, {
    tokens: tokensOf('alice', 1),
    revoke: async (given) => void revoked.push(given),
  });
  scene.refresh.next(() => tokensOf('bob', 2));

  expect(await errorOf(scene.source.getAccessToken())).toMatchObject({ code: 'ERR_ACCOUNT_MISMATCH' });
  expect(revoked).toMatchObject([{ access_token: 'access-2', refresh_token: 'refresh-2' }]);
});

const issuer = 'https://id.example.com';
const byIssuer = { issuer, clientId: 'cli' };
const byEndpoint = { tokenEndpoint: `${issuer}/token`, clientId: 'cli' };

test.each<[string, Binding, Binding]>([
  ['another client', byIssuer, { ...byIssuer, clientId: 'web' }],
  ['a token endpoint instead of an issuer', byIssuer, byEndpoint],
  ['an issuer instead of a token endpoint', byEndpoint, byIssuer],
])('nothing is sent for a stored record that is bound to %s', async (_, stored, own) => {
  const before = createScene({
    store: place.open(),
    refresh: Object.assign(scriptedRefresh(), { binding: stored }),
  });
  await before.source.getAccessToken();
  const refresh = Object.assign(scriptedRefresh(), { binding: own });
  const { source } = createScene({ store: place.open(), tokens: undefined, refresh });

  expect(await errorOf(source.getAccessToken())).toMatchObject({ code: 'ERR_ACCOUNT_MISMATCH' });
  expect(await errorOf(authorize(source, { url: API }))).toMatchObject({ code: 'ERR_ACCOUNT_MISMATCH' });
  expect(refresh.calls).toHaveLength(0);
});
