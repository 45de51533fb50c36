import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { axiosAuth } from '@unexpired/axios';
import * as core from '@unexpired/core';
import { fetchAuth } from '@unexpired/fetch';
import { gotAuth } from '@unexpired/got';
import { kyAuth } from '@unexpired/ky';
import * as oauth from '@unexpired/oauth';
import axios from 'axios';
import got from 'got';
import ky from 'ky';
import { createCanaries } from './canaries.ts';
import { watchOutput } from './output.ts';

const API = 'https://api.example.com';
const canaries = createCanaries();
const secret = canaries.plantText('secret');
const fresh: core.TokenResponse = {
  access_token: canaries.plant('access token'),
  refresh_token: canaries.plantText('refresh token'),
  id_token: canaries.plantIdToken('id token', 'alice'),
};

let seen: unknown[] = [];

beforeEach(() => {
  seen = [];
  watchOutput((...values) => void seen.push(...values));
});

afterEach(() => {
  expect(canaries.found(...seen)).toEqual([]);
});

/** The places in which a secret may stand for something else. */
const misplaced: unknown[] = [
  secret,
  `${secret}\n`,
  `https://${encodeURIComponent(secret)}@id.example.com`,
  [secret],
  { secret },
  { [Symbol('key')]: secret, toJSON: () => secret },
  Object.assign(() => secret, { secret }),
  new Error(secret),
];

/** Keeps what a call returns, throws, resolves to or rejects with; says whether it failed. */
async function keep(call: () => unknown): Promise<boolean> {
  try {
    seen.push(await call());
    return false;
  } catch (error) {
    seen.push(error);
    return true;
  }
}

function open(options: Partial<core.TokenSourceOptions> = {}): core.TokenSource {
  return core.createTokenSource({ origins: [API], refresh: () => fresh, tokens: fresh, ...options });
}

type Factory = (options: object) => unknown;

/** An origin is left out: it is repeated, so that it can be mended. An account's name is no secret. */
const sourceOptions =
  'refresh store tokens persistence fallback profile timing limits revoke onEvent clock random allowHttp';
const clientOptions =
  'clientSecret clientAuthentication issuer parameters fetch allowHttp scope resource tokenEndpoint revocationEndpoint';

const client = { clientId: 'cli', clientSecret: secret };
const token = { ...client, tokenEndpoint: 'https://id.example.com' };
const revocation = { ...client, revocationEndpoint: 'https://id.example.com' };

const factories: [string, Factory, string][] = [
  ['createTokenSource', (options) => open(options), sourceOptions],
  ['refreshTokenGrant', (options) => oauth.refreshTokenGrant({ ...token, ...options }), clientOptions],
  [
    'clientCredentialsGrant',
    (options) => oauth.clientCredentialsGrant({ ...token, ...options }),
    clientOptions,
  ],
  ['revokeToken', (options) => oauth.revokeToken({ ...revocation, ...options }), clientOptions],
  ['createStoreFrom', (options) => core.createStoreFrom(options as never), 'load save'],
  ['axiosAuth', (options) => axiosAuth(open(), options), 'replaceAuthorization'],
  ['kyAuth', (options) => kyAuth(open(), options), 'replaceAuthorization'],
  ['gotAuth', (options) => gotAuth(open(), options), 'replaceAuthorization'],
  ['fetchAuth', (options) => fetchAuth(open(), options), 'replaceAuthorization fetch'],
];

describe('a secret in the place of an option is not shown by', () => {
  test.each(factories)('%s', async (_, create, names) => {
    let failures = 0;
    for (const value of misplaced) {
      for (const name of names.split(' ')) if (await keep(() => create({ [name]: value }))) failures += 1;
    }

    expect(failures).toBeGreaterThan(0);
  });

  test('the profile, the limits and the timing of a source', async () => {
    const names = {
      profile: ['refusedStatuses', 'reuse', 'codes'],
      limits: ['exchangeMs', 'flightMs', 'lockMs', 'waitMs', 'replayBytes'],
      timing: ['ttlThresholdMs', 'leewayMs', 'assumedLifetimeMs'],
    };
    const outcomes: Promise<boolean>[] = [];
    for (const [group, members] of Object.entries(names)) {
      for (const member of members) {
        for (const value of misplaced)
          outcomes.push(keep(() => open({ [group]: { [member]: value } } as object)));
      }
    }

    expect((await Promise.all(outcomes)).filter(Boolean).length).toBeGreaterThan(50);
  });
});

describe('a secret in the place of an argument is not shown by', () => {
  const source = open();
  const never = new AbortController().signal;
  const calls: [string, (value: never) => unknown][] = [
    ['signIn', (value) => source.signIn(value)],
    ['signIn, as a token', (value) => source.signIn({ access_token: value })],
    ['getAccessToken', (value) => source.getAccessToken(value).then(() => undefined)],
    ['minTtlMs', (value) => source.getAccessToken({ minTtlMs: value }).then(() => undefined)],
    ['signal', (value) => source.getAccessToken({ signal: value }).then(() => undefined)],
    ['signOut', (value) => open().signOut(value)],
    ['revoke', (value) => open().signOut({ revoke: value })],
    ['subscribe', (value) => source.subscribe(value)],
    ['authorize', (value) => source.authorize({ url: API, method: 'GET', minTtlMs: value })],
    ['axiosAuth', (value) => axiosAuth(value)],
    ['kyAuth', (value) => kyAuth(value)],
    ['gotAuth', (value) => gotAuth(value)],
    ['fetchAuth', (value) => fetchAuth(value)],
    ['explain401', (value) => [core.explain401(value), core.describe401(value)]],
    ['a mutex', (value) => core.createKeyedMutex().runExclusive(value, async () => undefined, never)],
    ['checkAdapter', (value) => core.checkAdapter(value, value)],
    ['invalidOption', (value) => core.invalidOption('a', 'another', value)],
  ];

  test.each(calls)('%s', async (_, call) => {
    for (const value of misplaced) await keep(() => call(value as never));

    expect(seen.length).toBeGreaterThanOrEqual(misplaced.length);
  });

  const requests: [string, (unexpired: object) => Promise<unknown>][] = [
    [
      'a request of axios',
      (unexpired) => {
        const sent = axios.create();
        sent.interceptors.request.use(axiosAuth(source));
        return sent.get(API, { unexpired });
      },
    ],
    ['a request of ky', (unexpired) => ky.extend(kyAuth(source)).get(API, { context: { unexpired } })],
    ['a request of got', async (unexpired) => got.extend(gotAuth(source))(API, { context: { unexpired } })],
    ['a request of fetch', (unexpired) => fetchAuth(source)(API, { unexpired })],
  ];

  test.each(requests)('%s', async (_, send) => {
    for (const name of ['skip', 'body', 'account', 'minTtlMs', 'replaceAuthorization', 'other']) {
      const error: unknown = await send({ [name]: [secret] }).catch((thrown: unknown) => thrown);
      // What the caller gave to got is the caller's, and got lays it open.
      seen.push((error as Error).message, (error as Error).stack, (error as Error).cause);
      expect(String(error)).toContain(name);
    }
  });
});

test('nothing that the packages export shows a secret once it holds one', async () => {
  const source = open({ fallback: canaries.plant('fallback'), store: core.createMemoryStore() });
  const held = await source.authorize({ url: API, method: 'GET' });
  const resolver = (): core.TokenSource => source;
  await source.signIn(fresh);

  seen.push(source, source.status(), held, resolver, core.createMemoryStore(), core.createKeyedMutex());
  seen.push(core, oauth, kyAuth(source), gotAuth(resolver), fetchAuth(resolver), axiosAuth(resolver));
  seen.push(
    oauth.refreshTokenGrant(token),
    oauth.clientCredentialsGrant(token),
    oauth.revokeToken(revocation),
  );

  expect(canaries.found(held?.headers)).toEqual(['access token']);
});
