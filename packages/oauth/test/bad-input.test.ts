import type { TokenSet } from '@unexpired/core';
import { clientCredentialsGrant, refreshTokenGrant, revokeToken, type GrantOptions } from '@unexpired/oauth';
import { misusesOf, NUMERIC_SECRET, SECRET, testMisuses, type Misuse } from '../../../test/bad-input.ts';

const ENDPOINT = 'https://id.example.com/token';
const OBJECTS = ['an object'];
const TEXTS = ['a string'];
const FUNCTIONS = ['a function'];

type Factory = (options: never) => unknown;

/** What every factory of this package refuses; `place` is the option that names its endpoint. */
function misusesOfClients(factory: Factory, place: 'tokenEndpoint' | 'revocationEndpoint'): Misuse[] {
  const create = (options: object): unknown =>
    factory({ [place]: ENDPOINT, clientId: 'cli', ...options } as never);
  const authenticate = (clientAuthentication: unknown): unknown => create({ clientAuthentication });
  const method = 'private_key_jwt';
  return [
    ...misusesOf('options', (options) => factory(options as never), OBJECTS),
    ['no option', () => factory({} as never), /`clientId` must be a string that is not empty, got undefined/],
    [
      'no place',
      () => factory({ clientId: 'cli' } as never),
      new RegExp(`\`issuer\` or \`${place}\` is required`),
    ],
    ['two places', () => create({ issuer: ENDPOINT }), /exclude each other/],
    ['an unknown option', () => create({ secret: SECRET }), /`secret` is not an option; there are: clientId/],
    ...misusesOf('clientId', (clientId) => create({ clientId }), TEXTS),
    ...misusesOf('clientSecret', (clientSecret) => create({ clientSecret }), TEXTS),
    [
      'a number as secret',
      () => create({ clientSecret: NUMERIC_SECRET }),
      /`clientSecret` must be .*, got a number/,
    ],
    ...misusesOf(place, (value) => create({ [place]: value })),
    ...misusesOf('issuer', (issuer) => create({ issuer, [place]: undefined })),
    [
      'a place with a user',
      () => create({ [place]: `https://me:${SECRET}@id.example.com` }),
      /must be a URL without user/,
    ],
    [
      'a place over http',
      () => create({ [place]: `http://id.example.com/${SECRET}?${SECRET}` }),
      /must be https outside/,
    ],
    ...misusesOf('clientAuthentication', authenticate, OBJECTS),
    [
      'an authentication of no method',
      () => authenticate({ key: SECRET }),
      /`clientAuthentication\.key` must be a private/,
    ],
    [
      'an authentication without a key',
      () => authenticate({ method }),
      /`clientAuthentication\.key` must be .*undefined/,
    ],
    ...misusesOf('clientAuthentication.key', (key) => authenticate({ method, key })),
    [
      'a secret that is not sent',
      () => create({ clientSecret: SECRET, clientAuthentication: 'none' }),
      /never sent/,
    ],
    ['no secret to send', () => authenticate('client_secret_post'), /`clientSecret` is required/],
    ...misusesOf('parameters', (parameters) => create({ parameters }), OBJECTS),
    ...misusesOf('parameters.audience', (audience) => create({ parameters: { audience } }), TEXTS),
    [
      'a parameter of its own',
      () => create({ parameters: { client_secret: SECRET } }),
      /`parameters\.client_secret` is not/,
    ],
    [
      'a number as parameter',
      () => create({ parameters: { key: NUMERIC_SECRET } }),
      /`parameters\.key` must be/,
    ],
    ...misusesOf('fetch', (fetch) => create({ fetch }), FUNCTIONS),
    ...misusesOf('allowHttp', (allowHttp) => create({ allowHttp }), ['true']),
  ];
}

function misusesOfGrants(factory: (options: GrantOptions) => unknown): Misuse[] {
  const create = (options: object): unknown =>
    factory({ tokenEndpoint: ENDPOINT, clientId: 'cli', ...options });
  return [
    ...misusesOfClients(factory, 'tokenEndpoint'),
    ...misusesOf('scope', (scope) => create({ scope }), TEXTS),
    ...misusesOf('resource', (resource) => create({ resource })),
  ];
}

const { signal } = new AbortController();
const broken = (): Promise<never> => Promise.reject(new TypeError(`${SECRET} failed`));

/** A request is sent through a function that answers like this. */
const revoke = (answer: () => unknown, tokens: TokenSet = { refresh_token: SECRET }): Promise<void> =>
  revokeToken({
    revocationEndpoint: ENDPOINT,
    clientId: 'cli',
    clientSecret: SECRET,
    fetch: async () => answer() as Response,
  })(tokens);

const discover = (fetch: () => Promise<unknown>): Promise<void> =>
  revokeToken({ issuer: ENDPOINT, clientId: 'cli', fetch: fetch as () => Promise<Response> })({
    access_token: SECRET,
  });

testMisuses('oauth', {
  refreshTokenGrant: [
    ...misusesOfGrants(refreshTokenGrant),
    [
      'no refresh token to present',
      () =>
        refreshTokenGrant({ tokenEndpoint: ENDPOINT, clientId: 'cli', fetch: broken })({
          refreshToken: undefined,
          tokens: undefined,
          signal,
          attempt: 1,
        }),
      /There is no refresh token to present/,
    ],
  ],
  clientCredentialsGrant: misusesOfGrants(clientCredentialsGrant),
  revokeToken: [
    ...misusesOfClients(revokeToken, 'revocationEndpoint'),
    ['nothing to revoke', () => revoke(broken, {}), undefined],
    ['a fetch that fails', () => revoke(broken), /did not answer \(TypeError\)/],
    [
      'a fetch that fails with nothing',
      () => revoke(() => Promise.reject()),
      /did not answer \(unknown reason\)/,
    ],
    [
      'a discovery that fails with nothing',
      () => discover(() => Promise.reject()),
      /could not be had \(unknown reason\)/,
    ],
    [
      'a discovery that fails with a text',
      () => discover(() => Promise.reject(SECRET)),
      /could not be had \(unknown reason\)/,
    ],
    [
      'a discovery that answers nothing',
      () => discover(async () => undefined),
      /could not be had \(TypeError\)/,
    ],
    [
      'a refusal that repeats the token',
      () => revoke(() => Response.json({ error: SECRET }, { status: 400 })),
      /answered 400/,
    ],
  ],
});
