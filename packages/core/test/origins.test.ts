import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../test/runs.ts';
import { checkOrigins, listedOrigin, originOf } from '../src/origins.ts';

const character = fc.nat(0x10ffff).map((point) => String.fromCodePoint(point));

const API = 'https://api.example.com';

describe('origins', () => {
  test.each([
    ['an origin', API, API],
    ['a URL', new URL(API), API],
    ['a slash at the end', `${API}/`, API],
    ['the default port', `${API}:443`, API],
    ['another port', `${API}:8443`, `${API}:8443`],
    ['capitals', 'HTTPS://API.Example.COM', API],
    ['an international name', 'https://bücher.example', 'https://xn--bcher-kva.example'],
    ['http on localhost', 'http://localhost:3000', 'http://localhost:3000'],
    ['http on a name under localhost', 'http://api.localhost', 'http://api.localhost'],
    ['http on 127.0.0.1', 'http://127.0.0.1:80', 'http://127.0.0.1'],
    ['http on 127.80.90.100', 'http://127.80.90.100', 'http://127.80.90.100'],
    ['http on [::1]', 'http://[::1]:3000', 'http://[::1]:3000'],
  ])('may hold %s', (_, given, expected) => {
    expect([...checkOrigins([given])]).toEqual([expected]);
  });

  test('may hold several', () => {
    expect([...checkOrigins([API, 'https://b.example', API])]).toEqual([API, 'https://b.example']);
  });

  test('may hold http where that is allowed', () => {
    expect([...checkOrigins(['http://api.lan:8080'], true)]).toEqual(['http://api.lan:8080']);
  });

  const list = '`origins` must be a list of at least one origin that may see the access token, got ';
  const bare = '`origins` must hold origins without a path, query or user: write ';
  const exact = '`origins` must hold exact http or https origins, got ';
  const odd = "`origins` must hold exact origins such as 'https://api.example.com', got ";
  const http = '`origins` must be https outside of loopback, got ';

  test.each([
    ['nothing', undefined, `${list}undefined`],
    ['one origin alone', API, `${list}a string`],
    ['no origin', [], `${list}an empty list`],
    ['a set', new Set([API]), `${list}an object`],
    ['a number', [5], '`origins` must be a list of strings or URLs, got a number'],
    ['undefined', [undefined], '`origins` must be a list of strings or URLs, got undefined'],
    ['an object', [{ href: API }], '`origins` must be a list of strings or URLs, got an object'],
    ['an empty string', [''], `${odd}an empty string`],
    ['a name alone', ['api.example.com'], `${odd}'api.example.com'`],
    ['what no URL is', ['https://a b'], `${odd}'https://a b'`],
    ['a path', [`${API}/v1`], `${bare}'${API}'`],
    ['a query', [`${API}?a=b`], `${bare}'${API}'`],
    ['an empty query', [`${API}/?`], `${bare}'${API}'`],
    ['a fragment', [`${API}#a`], `${bare}'${API}'`],
    ['a path of a URL', [new URL(`${API}/v1`)], `${bare}'${API}'`],
    ['a user', ['https://me@api.example.com'], `${bare}'${API}'`],
    ['a password', ['https://:secret@api.example.com'], `${bare}'${API}'`],
    ['a user of what no URL is', ['https://me:secret@a b'], `${odd}a string`],
    ['a query of what no URL is', ['api.example.com?key=secret'], `${odd}'api.example.com'`],
    ['a wildcard', ['*'], `${odd}'*'`],
    ['a wildcard name', ['https://*.example.com'], `${exact}'https://*.example.com'`],
    ['another scheme', ['ftp://api.example.com'], `${exact}'ftp://api.example.com'`],
    ['a scheme that ends like http', ['xhttp://api.example.com'], `${exact}'xhttp://api.example.com'`],
    ['a scheme that begins like http', ['httpx://api.example.com'], `${exact}'httpx://api.example.com'`],
    ['a socket', ['wss://api.example.com'], `${exact}'wss://api.example.com'`],
    ['a name with a port', ['localhost:3000'], `${exact}'localhost:3000'`],
    [
      'http',
      ['http://api.lan'],
      `${http}'http://api.lan': write 'https://api.lan', or set \`allowHttp: true\``,
    ],
    [
      'http on a name that begins like loopback',
      ['http://127.0.0.1.example.com'],
      `${http}'http://127.0.0.1.example.com': write 'https://127.0.0.1.example.com', or set \`allowHttp: true\``,
    ],
    [
      'http on a name that ends like loopback',
      ['http://notlocalhost:81'],
      `${http}'http://notlocalhost:81': write 'https://notlocalhost:81', or set \`allowHttp: true\``,
    ],
    ['a wrong one beside a right one', [API, 'x'], `${odd}a string`],
  ])('may not hold %s', (_, given, message) => {
    expect(() => checkOrigins(given)).toThrow(new TypeError(message));
  });

  test.each([
    'https://me:s3cret@a b',
    'https://me:s3cret@',
    '//me:s3cret@api.example.com',
    'me:s3cret@api.example.com',
    'https://me:s3cret@api.example.com/v1',
    'ftp://me:s3cret@api.example.com',
    'https://me:s3cret@*.example.com',
    'api.example.com/?key=s3cret',
    'api.example.com#s3cret',
    's3cret',
    's3cret:x',
    'cli:s3cret',
    'eyJhbGciOiJIUzI1NiJ9.s3cret.s3cret',
  ])('tell no secret of a URL: %s', (given) => {
    expect(() => checkOrigins([given])).toThrow(/^`origins` must hold (?!.*s3cret)/s);
  });
});

describe('originOf', () => {
  afterEach(() => {
    Reflect.deleteProperty(globalThis, 'location');
  });

  test.each([
    [API, API],
    [`${API}/a?b#c`, API],
    [new URL(`${API}:443/a`), API],
    ['http://[::1]:8080/', 'http://[::1]:8080'],
    ['data:text/plain,a', undefined],
    ['file:///etc/passwd', undefined],
    ['/v1', undefined],
    ['', undefined],
  ])('%s', (url, expected) => {
    expect(originOf(url)).toBe(expected);
  });

  test('reads an internationalized name after thousands of others', () => {
    for (let count = 0; count < 20_000; count += 1) originOf(`${API}/v1`);

    expect(originOf('https://bücher.example/v1')).toBe('https://xn--bcher-kva.example');
  });

  test('counts relative URLs from the location of the page, where there is one', () => {
    Object.assign(globalThis, { location: { href: `${API}/app/` } });

    expect(originOf('/v1')).toBe(API);
    expect(listedOrigin(new Set([API]), 'v1')).toBe(API);
    expect(listedOrigin(new Set([API]), '//b.example/v1')).toBeUndefined();
  });
});

describe('listedOrigin', () => {
  const listed = checkOrigins([
    API,
    'http://localhost:3000',
    'https://b.example:8443',
    'https://bücher.example',
  ]);

  test.each([
    [API, API],
    [`${API}/`, API],
    [`${API}?a`, API],
    [`${API}#a`, API],
    [`${API}:443/v1`, API],
    [`  ${API}/v1`, API],
    ['HTTPS://API.EXAMPLE.COM/v1', API],
    ['https:\\\\api.example.com\\v1', API],
    ['https://me@api.example.com/v1', API],
    [new URL(`${API}/v1`), API],
    ['https://BÜCHER.example/v1', 'https://xn--bcher-kva.example'],
    ['http://localhost:3000/a', 'http://localhost:3000'],
  ])('knows %s', (url, expected) => {
    expect(listedOrigin(listed, url)).toBe(expected);
  });

  test.each([
    'http://api.example.com/',
    `${API}:8443/`,
    `${API}.evil.example/`,
    `${API}@evil.example/`,
    `${API}:@evil.example/`,
    `${API}:443@evil.example/`,
    `${API}\\@evil.example/`.replace('\\', '%5c'),
    `https://evil.example/${API}`,
    `https://evil.example?${API}`,
    `https://evil.example\\@api.example.com`,
    `https://evil.example/@api.example.com`,
    `${API}\t.evil.example`,
    `${API}\n.evil.example/`,
    `${API}.`,
    'http://localhost:30001/',
    'http://localhost:300/',
    'http://localhost/',
    'https://b.example/',
    'wss://api.example.com/',
    'api.example.com',
    '',
  ])('does not know %j', (url) => {
    expect(listedOrigin(listed, url)).toBeUndefined();
  });

  test.each([
    [API, API],
    [`${API}/v1`, API],
    [`${API}/?a`, API],
    ['http://localhost:3000/a', 'http://localhost:3000'],
  ])('needs no parser for %s, which is its origin up to the path', (url, origin) => {
    const { URL: parser } = globalThis;
    Object.assign(globalThis, { URL: undefined });
    try {
      expect(listedOrigin(listed, url)).toBe(origin);
    } finally {
      Object.assign(globalThis, { URL: parser });
    }
  });

  test('never takes a URL for one of another origin', () => {
    const pieces = fc.constantFrom(
      'https:',
      'HTTPS:',
      'http:',
      'ftp:',
      'blob:',
      '//',
      '/',
      '\\',
      'api.example.com',
      'API.example.COM',
      'api。example.com',
      'evil.example',
      'localhost',
      'b.example',
      'bücher.example',
      'xn--bcher-kva.example',
      ':443',
      ':80',
      ':3000',
      ':8443',
      ':',
      '@',
      'me:secret@',
      '.',
      '%2e',
      '%00',
      '%40',
      '?',
      '#',
      '\t',
      '\n',
      ' ',
      '\0',
      '\u200b',
      '[::1]',
      '127.0.0.1',
      '..',
    );
    const hostile = fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join(''));
    const tailed = fc.tuple(fc.constantFrom(...listed), hostile).map((parts) => parts.join(''));
    const urls = fc.oneof(hostile, tailed, fc.string({ unit: character }));
    fc.assert(
      fc.property(urls, (url) => {
        const origin = URL.parse(url)?.origin;

        expect(listedOrigin(listed, url)).toBe(
          origin !== undefined && listed.has(origin) ? origin : undefined,
        );
      }),
      runs(1000),
    );
  });
});
