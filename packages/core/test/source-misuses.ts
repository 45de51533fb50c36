import {
  createTokenSource,
  type Authorization,
  type TokenSource,
  type TokenSourceOptions,
} from '@unexpired/core';
import { misusesOf, NUMERIC_SECRET, SECRET, type Misuse } from '../../../test/bad-input.ts';

export const API = 'https://api.example.com';
const right = { origins: [API], refresh: () => ({ access_token: 'a' }) };

const create = (options: object): TokenSource =>
  createTokenSource({ ...right, ...options } as TokenSourceOptions);
/** Signed in with tokens that nothing may show. */
export const source: TokenSource = create({
  tokens: { access_token: SECRET, refresh_token: SECRET, expires_in: 3600 },
});

/** One function of a source, with an argument of any kind. */
const calling =
  (name: keyof TokenSource) =>
  (argument: unknown): unknown =>
    (source[name] as (argument: unknown) => unknown)(argument);

const OBJECTS = ['an object'];
const TEXTS = ['a string'];
const FUNCTIONS = ['a function'];

/** Of what a source is made with. */
export const misusesOfOptions: readonly Misuse[] = [
  ...misusesOf('options', (value) => createTokenSource(value as TokenSourceOptions), OBJECTS),
  ['nothing', () => createTokenSource(undefined as never), /`options` must be an object, got undefined/],
  ['no option at all', () => createTokenSource({} as never), /`refresh` must be a function, got undefined/],
  ...misusesOf('origins', (origins) => create({ origins })),
  ['a secret number for origins', () => create({ origins: NUMERIC_SECRET }), /`origins` must be a list/],
  ['a secret number in origins', () => create({ origins: [NUMERIC_SECRET] }), /`origins` must be a list/],
  ...misusesOf('allowHttp', (allowHttp) => create({ allowHttp }), ['true']),
  ...misusesOf('refresh', (refresh) => create({ refresh }), FUNCTIONS),
  ...misusesOf('store', (store) => create({ store })),
  ...misusesOf('account', (account) => create({ account }), TEXTS),
  ...misusesOf('tokens', (tokens) => create({ tokens })),
  ['a secret number as tokens', () => create({ tokens: NUMERIC_SECRET }), /`tokens` must be .* got a number/],
  [
    'a token that is a number',
    () => create({ tokens: { access_token: NUMERIC_SECRET } }),
    /`tokens` must be a token response .* got members: access_token/,
  ],
  ['a token that is a list', () => create({ tokens: { refresh_token: [SECRET] } }), /`tokens` must be /],
  [
    'an access token of two lines',
    () => create({ tokens: { access_token: `${SECRET}\r\n${SECRET}` } }),
    /`tokens` must have an access_token of visible ASCII/,
  ],
  ...misusesOf('persistence', (persistence) => create({ persistence })),
  ...misusesOf('fallback', (fallback) => create({ fallback }), TEXTS),
  [
    'a secret number as fallback',
    () => create({ fallback: NUMERIC_SECRET }),
    /`fallback` must be .* got a number/,
  ],
  ['a fallback of two lines', () => create({ fallback: `${SECRET}\n` }), /`fallback` must be /],
  [
    'a fallback with a header that is none',
    () => create({ fallback: { header: 'x y', value: SECRET } }),
    /`fallback` must be /,
  ],
  ...['profile', 'timing', 'limits'].flatMap((name): Misuse[] => [
    ...misusesOf(name, (value) => create({ [name]: value }), OBJECTS),
    [
      `an unknown member of ${name}`,
      () => create({ [name]: { secret: SECRET } }),
      new RegExp(`\`${name}.secret\` is not an option`),
    ],
  ]),
  ...misusesOf('profile.refusedStatuses', (refusedStatuses) => create({ profile: { refusedStatuses } })),
  ...misusesOf('profile.reuse', (reuse) => create({ profile: { reuse } })),
  ...misusesOf('profile.codes', (codes) => create({ profile: { codes } })),
  ...['ttlThresholdMs', 'leewayMs', 'assumedLifetimeMs'].flatMap((name) =>
    misusesOf(`timing.${name}`, (value) => create({ timing: { [name]: value } })),
  ),
  ...['exchangeMs', 'flightMs', 'lockMs', 'waitMs', 'replayBytes'].flatMap((name) =>
    misusesOf(`limits.${name}`, (value) => create({ limits: { [name]: value } })),
  ),
  ...['revoke', 'onEvent', 'random'].flatMap((name) =>
    misusesOf(name, (value) => create({ [name]: value }), FUNCTIONS),
  ),
  ...misusesOf('clock', (clock) => create({ clock })),
  [
    'an option that there is not',
    () => create({ clientSecret: SECRET }),
    /`clientSecret` is not an option; there are: /,
  ],
];

/** Of what a source is asked. */
export const misusesOfCalls: readonly Misuse[] = [
  ...misusesOf('options', calling('getAccessToken'), OBJECTS),
  ...misusesOf('signal', (signal) => source.getAccessToken({ signal } as never)),
  ...misusesOf('minTtlMs', (minTtlMs) => source.getAccessToken({ minTtlMs } as never)),
  ['an unknown wish', () => source.getAccessToken({ force: true } as never), /`force` is not an option/],
  ...misusesOf('tokenResponse', calling('signIn')),
  [
    'a secret number to sign in',
    () => calling('signIn')(NUMERIC_SECRET),
    /`tokenResponse` must be .* got a number/,
  ],
  ['nothing to sign in', () => calling('signIn')(undefined), /`tokenResponse` must be .* got undefined/],
  ['a camelCase sign-in', () => calling('signIn')({ accessToken: SECRET }), /got members: accessToken/],
  ...misusesOf('options', calling('signOut'), OBJECTS),
  ...misusesOf('revoke', (revoke) => source.signOut({ revoke } as never), ['true']),
  ['an unknown way to sign out', () => source.signOut({ all: true } as never), /`all` is not an option/],
  ...misusesOf('listener', calling('subscribe'), FUNCTIONS),
  ['a URL that is none', () => source.authorize({ url: `//${SECRET} x`, method: 'GET' }), undefined],
  ['a URL of no text', () => source.authorize({ url: 5 as never, method: 'GET' }), undefined],
  ['an authorization of somebody else', () => source.settled({} as Authorization, 401), undefined],
  [
    'a refusal of somebody else',
    () =>
      source.reauthorize(
        {} as Authorization,
        { url: API, status: 401, header: () => null },
        { replayable: true },
      ),
    undefined,
  ],
  [
    'all that, and it still has its tokens',
    async () => (await source.getAccessToken()) === SECRET || Promise.reject(new Error('lost')),
    undefined,
  ],
];
