import { describe, expect, test } from '@jest/globals';
import { clientCredentialsGrant, refreshTokenGrant, revokeToken, type GrantOptions } from '@unexpired/oauth';

const endpoint = { tokenEndpoint: 'https://id.example.com/token' };
const client = { ...endpoint, clientId: 'cli' };

/** What the factory throws, of any options. */
function messageOf(factory: (options: never) => unknown, options: unknown): string {
  try {
    factory(options as never);
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return (error as TypeError).message;
  }
  throw new Error('Nothing was thrown.');
}

const signer = await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']);
const { privateKey: key, publicKey } = signer as CryptoKeyPair;
const shared = await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify']);
const agreeing = (await crypto.subtle.generateKey('X25519', false, ['deriveBits'])) as CryptoKeyPair;

describe.each([
  ['refreshTokenGrant', refreshTokenGrant],
  ['clientCredentialsGrant', clientCredentialsGrant],
] as const)('%s refuses', (_, grantOf) => {
  test.each<[unknown, string]>([
    [undefined, '`options` must be an object, got undefined'],
    [[], '`options` must be an object, got an empty list'],
    [
      { ...client, clientID: 'x' },
      '`clientID` is not an option; there are: clientId, clientSecret, clientAuthentication, issuer, parameters, fetch, allowHttp, tokenEndpoint, scope, resource',
    ],
    [endpoint, '`clientId` must be a string that is not empty, got undefined'],
    [{ ...client, clientId: '' }, '`clientId` must be a string that is not empty, got an empty string'],
    [{ ...client, clientId: 7 }, '`clientId` must be a string that is not empty, got a number'],
    [
      { ...client, clientSecret: '' },
      '`clientSecret` must be a string that is not empty, got an empty string',
    ],
    [{ ...client, clientSecret: null }, '`clientSecret` must be a string that is not empty, got null'],
    [{ ...client, scope: ['read'] }, '`scope` must be a string that is not empty, got a list'],
    [{ ...client, scope: '' }, '`scope` must be a string that is not empty, got an empty string'],
    [{ ...client, fetch: {} }, '`fetch` must be a function, got an object'],
    [{ ...client, allowHttp: 'yes' }, '`allowHttp` must be true or false, got a string'],
    [{ ...client, parameters: 'a=b' }, '`parameters` must be an object, got a string'],
    [{ ...client, parameters: { audience: ['a'] } }, '`parameters.audience` must be a string, got a list'],
  ])('the options %j', (options, message) => {
    expect(messageOf(grantOf, options)).toBe(message);
  });

  test.each([
    ['a string that is no URI', 'api'],
    ['a URI with a fragment', 'https://api.example.com/#a'],
    ['an empty list', []],
    ['a list that holds something else', ['urn:example:a', 7]],
  ])('as `resource` %s', (__, resource) => {
    const got =
      typeof resource === 'string' ? 'a string' : resource.length === 0 ? 'an empty list' : 'a list';
    expect(messageOf(grantOf, { ...client, resource })).toBe(
      `\`resource\` must be an absolute URI without fragment, or a list of them, got ${got}`,
    );
  });

  test.each([
    'grant_type',
    'refresh_token',
    'scope',
    'resource',
    'token',
    'token_type_hint',
    'client_id',
    'client_secret',
    'client_assertion',
    'client_assertion_type',
  ])('`parameters` that hold %s', (name) => {
    expect(messageOf(grantOf, { ...client, parameters: { [name]: 'x' } })).toBe(
      `\`parameters.${name}\` is not yours to set: the request and its other options do`,
    );
  });
});

describe('the place of the authorization server', () => {
  const places = [
    ['issuer', refreshTokenGrant],
    ['tokenEndpoint', refreshTokenGrant],
    ['revocationEndpoint', revokeToken],
  ] as const;

  test.each([
    ['tokenEndpoint', refreshTokenGrant],
    ['revocationEndpoint', revokeToken],
  ] as const)('is either `issuer` or `%s`', (name, factory) => {
    expect(messageOf(factory, { clientId: 'cli' })).toBe(`\`issuer\` or \`${name}\` is required`);
    const both = { clientId: 'cli', issuer: 'https://id.example.com', [name]: 'https://id.example.com/x' };
    expect(messageOf(factory, both)).toBe(`\`issuer\` and \`${name}\` exclude each other: give one of them`);
  });

  test.each(places)('is an absolute https URL (%s)', (name, factory) => {
    const message = (value: unknown): string => messageOf(factory, { clientId: 'cli', [name]: value });
    expect(message('id.example.com')).toBe(`\`${name}\` must be an absolute https URL, got a string`);
    expect(message('ftp://id.example.com')).toBe(`\`${name}\` must be an absolute https URL, got a string`);
    expect(message(null)).toBe(`\`${name}\` must be an absolute https URL, got null`);
    expect(message(443)).toBe(`\`${name}\` must be an absolute https URL, got 443`);
  });

  test.each(places)('is https outside of loopback, or allowed (%s)', (name, factory) => {
    const options = { clientId: 'cli', [name]: new URL('http://id.example.com:8080/x') };
    expect(messageOf(factory, options)).toBe(
      `\`${name}\` must be https outside of loopback, got 'http://id.example.com:8080': write 'https://id.example.com:8080', or set \`allowHttp: true\``,
    );
    expect(factory({ ...options, allowHttp: true })).toBeInstanceOf(Function);
    for (const host of ['localhost', 'id.localhost', '127.0.0.1:4444', '[::1]:4444']) {
      expect(factory({ clientId: 'cli', [name]: `http://${host}` })).toBeInstanceOf(Function);
    }
  });

  test.each(places)('holds no user and no fragment (%s)', (name, factory) => {
    const parts = name === 'issuer' ? 'user, query or fragment' : 'user or fragment';
    const message = `\`${name}\` must be a URL without ${parts}, got one at 'https://id.example.com'`;
    for (const text of [
      'https://user@id.example.com/x',
      'https://:hidden@id.example.com/x',
      'https://id.example.com/x#hidden',
    ]) {
      expect(messageOf(factory, { clientId: 'cli', [name]: text })).toBe(message);
    }
  });

  test('holds a query as an endpoint only (RFC 6749, section 3.2; RFC 8414, section 2)', () => {
    const options = { clientId: 'cli', issuer: 'https://id.example.com/?a=b' };
    expect(messageOf(refreshTokenGrant, options)).toBe(
      "`issuer` must be a URL without user, query or fragment, got one at 'https://id.example.com'",
    );
    const tokenEndpoint = 'https://id.example.com/token?a=b';
    expect(refreshTokenGrant({ clientId: 'cli', tokenEndpoint }).binding).toMatchObject({ tokenEndpoint });
  });
});

describe('`clientAuthentication`', () => {
  const secret = { clientSecret: 'hidden' };
  const jwt = { method: 'private_key_jwt' };

  test.each<[string, object, string]>([
    [
      'a method that is not known',
      { clientAuthentication: 'tls_client_auth' },
      "`clientAuthentication` must be 'none', 'client_secret_basic', 'client_secret_post' or { method: 'private_key_jwt', key }, got a string",
    ],
    [
      'the name of the method that wants a key',
      { clientAuthentication: 'private_key_jwt' },
      "`clientAuthentication` must be 'none', 'client_secret_basic', 'client_secret_post' or { method: 'private_key_jwt', key }, got a string",
    ],
    [
      'null',
      { clientAuthentication: null },
      "`clientAuthentication` must be 'none', 'client_secret_basic', 'client_secret_post' or { method: 'private_key_jwt', key }, got null",
    ],
    [
      'basic without a secret',
      { clientAuthentication: 'client_secret_basic' },
      "`clientSecret` is required by `clientAuthentication: 'client_secret_basic'`",
    ],
    [
      'post without a secret',
      { clientAuthentication: 'client_secret_post' },
      "`clientSecret` is required by `clientAuthentication: 'client_secret_post'`",
    ],
    [
      'none with a secret',
      { clientAuthentication: 'none', ...secret },
      "`clientSecret` is never sent with `clientAuthentication` 'none': leave one of them out",
    ],
    [
      'a key with a secret',
      { clientAuthentication: { ...jwt, key }, ...secret },
      "`clientSecret` is never sent with `clientAuthentication` 'private_key_jwt': leave one of them out",
    ],
    [
      'another method with a key',
      { clientAuthentication: { method: 'client_secret_jwt', key } },
      "`clientAuthentication.method` must be 'private_key_jwt', got a string",
    ],
    [
      'no method',
      { clientAuthentication: { key } },
      "`clientAuthentication.method` must be 'private_key_jwt', got undefined",
    ],
    [
      'no key',
      { clientAuthentication: jwt },
      '`clientAuthentication.key` must be a private CryptoKey that may sign, got undefined',
    ],
    [
      'a key as text',
      { clientAuthentication: { ...jwt, key: 'hidden' } },
      '`clientAuthentication.key` must be a private CryptoKey that may sign, got a string',
    ],
    [
      'a public key',
      { clientAuthentication: { ...jwt, key: publicKey } },
      '`clientAuthentication.key` must be a private CryptoKey that may sign, got an object',
    ],
    [
      'a shared key',
      { clientAuthentication: { ...jwt, key: shared } },
      '`clientAuthentication.key` must be a private CryptoKey that may sign, got an object',
    ],
    [
      'a private key that may not sign',
      { clientAuthentication: { ...jwt, key: agreeing.privateKey } },
      '`clientAuthentication.key` must be a private CryptoKey that may sign, got an object',
    ],
    [
      'an empty kid',
      { clientAuthentication: { ...jwt, key, kid: '' } },
      '`clientAuthentication.kid` must be a string that is not empty, got an empty string',
    ],
    [
      'an audience that is no string',
      { clientAuthentication: { ...jwt, key, audience: ['a'] } },
      '`clientAuthentication.audience` must be a string that is not empty, got a list',
    ],
    [
      'a member that is not known',
      { clientAuthentication: { ...jwt, key, alg: 'EdDSA' } },
      '`clientAuthentication.alg` is not an option; there are: method, key, kid, audience',
    ],
  ])('refuses %s', (_, options, message) => {
    expect(messageOf(refreshTokenGrant, { ...client, ...options })).toBe(message);
    expect(messageOf(revokeToken, { issuer: 'https://id.example.com', clientId: 'cli', ...options })).toBe(
      message,
    );
  });
});

test('revokeToken refuses what only grants take', () => {
  expect(messageOf(revokeToken, { ...client, issuer: 'https://id.example.com' })).toBe(
    '`tokenEndpoint` is not an option; there are: clientId, clientSecret, clientAuthentication, issuer, parameters, fetch, allowHttp, revocationEndpoint',
  );
});

test('the types refuse what the checks refuse', () => {
  // @ts-expect-error A client has an id.
  const nameless: GrantOptions = endpoint;
  // @ts-expect-error The method that signs wants its key.
  const keyless: GrantOptions = { ...client, clientAuthentication: 'private_key_jwt' };
  // @ts-expect-error A parameter is text.
  const numeric: GrantOptions = { ...client, parameters: { max_age: 7 } };
  for (const options of [nameless, keyless, numeric])
    expect(() => refreshTokenGrant(options)).toThrow(TypeError);
});
