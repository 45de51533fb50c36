import { expect, test } from '@jest/globals';
import { createTokenSource } from '@unexpired/core';
import fc from 'fast-check';
import { runs } from '../../../test/runs.ts';
import { checkOrigins, listedOrigin, originOf } from '../src/origins.ts';

const host = fc.oneof(
  fc.domain(),
  fc.ipV4(),
  fc.ipV6().map((address) => `[${address}]`),
  fc.constantFrom(
    'localhost',
    'api.localhost',
    'localhost.example',
    'notlocalhost',
    '127.0.0.1.example',
    'bücher.example',
    'xn--bcher-kva.example',
    'straße.example',
    '127.1',
  ),
);
const port = fc.oneof(
  fc.constant(''),
  fc.constantFrom(':80', ':443', ':'),
  fc.nat(65_535).map((one) => `:${one}`),
);
const scheme = fc.constantFrom('https', 'http');
const place = fc.record({ scheme, host, port });
const userinfo = fc.constantFrom(
  '',
  'me@',
  'me:canary-pw@',
  ':canary-pw@',
  'https://api.example.com@',
  '%40@',
);
const tail = fc.oneof(
  fc.constantFrom(
    '',
    '/',
    '/v1?a=b#c',
    '?x',
    '#y',
    '\\v1',
    '/\\evil.example',
    '/@evil.example',
    '//evil.example',
  ),
  fc.webPath(),
  fc.string(),
  fc.string({ unit: 'binary' }),
);
/** Spellings that lead to the same place, or to none. */
const twist = fc.constantFrom(
  (url: string) => url,
  (url: string) => url.toUpperCase(),
  (url: string) => ` \t${url}\n `,
  (url: string) => url.replace('://', ':\\\\'),
  (url: string) => url.replace('://', ':'),
  (url: string) => url.replace('://', ':///'),
  (url: string) => url.replace('.', '。'),
  (url: string) => url.replace('.', '%2e'),
  (url: string) => url.replace('/', '/\t'),
  (url: string) => `blob:${url}`,
  (url: string) => `//${url}`,
);

const printed = fc
  .tuple(place, userinfo, tail, twist)
  .map(([{ scheme: name, host: at, port: on }, user, rest, twisted]) =>
    twisted(`${name}://${user}${at}${on}${rest}`),
  );

/** As somebody writes one down who means it. */
const origins = place.map(({ scheme: name, host: at, port: on }) => `${name}://${at}${on}`);

test('a URL is listed exactly where its origin, as every client reads it, is', () => {
  fc.assert(
    fc.property(
      fc.array(origins, { minLength: 1, maxLength: 4 }),
      printed,
      fc.array(tail),
      (given, other, tails) => {
        const listed = checkOrigins(
          given.filter((one) => URL.parse(one) !== null).concat('https://b.example'),
          true,
        );
        // What is asked for mostly: the listed origins themselves, with something behind them.
        const urls = [...given, ...listed].flatMap((one) => [one, ...tails.map((rest) => one + rest)]);
        for (const url of [other, ...urls]) {
          const origin = URL.parse(url)?.origin;
          const expected = origin !== undefined && listed.has(origin) ? origin : undefined;

          expect([url, listedOrigin(listed, url)]).toEqual([url, expected]);
          if (origin !== undefined) expect(listedOrigin(listed, new URL(url))).toBe(expected);
        }
      },
    ),
    runs(200),
  );
});

test('origins that are taken are serialized origins of the web, https unless on loopback or allowed', () => {
  fc.assert(
    fc.property(fc.oneof(origins, printed, fc.string(), fc.webUrl()), fc.boolean(), (given, allowHttp) => {
      let taken: ReadonlySet<string>;
      try {
        taken = checkOrigins([given], allowHttp);
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError);
        expect((error as Error).message).toMatch(/^`origins` must /);
        expect((error as Error).message).not.toMatch(/canary/i);
        return;
      }
      const url = new URL(given);
      expect([...taken]).toEqual([url.origin]);
      expect(url.username + url.password + url.search + url.hash).toBe('');
      const isLocal = /^(.*\.)?localhost$|^127\.|^\[::1\]$/.test(url.hostname);
      expect(url.protocol === 'https:' || allowHttp || isLocal).toBe(true);
    }),
    runs(1000),
  );
});

test('a URL that cannot be told is nobody’s, and no URL makes `authorize` throw', async () => {
  const source = createTokenSource({
    origins: ['https://api.example.com'],
    refresh: () => ({ access_token: 'x' }),
    tokens: { access_token: 'a', expires_in: 3600 },
  });
  await source.getAccessToken();
  fc.assert(
    fc.property(fc.oneof(printed, fc.string({ unit: 'binary' })), (url) => {
      const authorization = source.authorize({ url, method: 'GET' });

      expect(authorization === undefined).toBe(originOf(url) !== 'https://api.example.com');
    }),
    runs(300),
  );
  await source.close();
});
