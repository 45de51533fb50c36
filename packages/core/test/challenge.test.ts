import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../test/runs.ts';
import { parseChallenges, refusesToken } from '../src/challenge.ts';

const character = fc.nat(0x10ffff).map((point) => String.fromCodePoint(point));

describe('a 401 refuses the access token', () => {
  test.each([
    ['without a challenge', null],
    ['without a challenge', undefined],
    ['with an empty challenge', ''],
    ['with a challenge that cannot be read', '"=,=,'],
    ['with a bare Bearer', 'Bearer'],
    ['with a Bearer that names a realm only', 'Bearer realm="api"'],
    ['with invalid_token', 'Bearer realm="api", error="invalid_token", error_description="it is expired"'],
    ['in another case', 'BEARER ERROR="invalid_token"'],
    ['with invalid_token without quotes', 'Bearer error=invalid_token'],
    ['with spaces around', 'Bearer   error = "invalid_token"'],
    ['with single quotes and an unknown scheme', "OAuth realm='TwitchTV', error='invalid_token'"],
    ['with invalid_token of DPoP', 'DPoP algs="ES256", error="invalid_token"'],
    ['with another error', 'Bearer error="expired_token"'],
    ['with a quote that does not end', 'Bearer error="invalid_token'],
    ['with escaped quotes', String.raw`Bearer realm="a \", Basic x=\"b", error="invalid_token"`],
    ['with Basic beside Bearer', 'Basic realm="x", Bearer realm="y"'],
    ['with Bearer beside a token68', 'Negotiate YWJj==, Bearer'],
    ['with Bearer beside a DPoP that wants a nonce', 'Bearer, DPoP error="use_dpop_nonce"'],
    ['with invalid_token beside another error', 'DPoP error="use_dpop_nonce", Bearer error="invalid_token"'],
    ['with invalid_token of a gateway', 'Basic error="invalid_token"'],
    ['with an unknown scheme', 'Token realm="api"'],
  ])('%s: %s', (_, header) => {
    expect(refusesToken(header)).toBe(true);
  });
});

describe('a 401 is about something else', () => {
  test.each([
    ['Basic', 'Basic realm="gateway"'],
    ['Basic, in any case', 'bAsIc realm="gateway"'],
    ['Digest', 'Digest realm="x", nonce="abc", qop="auth"'],
    ['Negotiate', 'Negotiate'],
    ['Negotiate with a token68', 'Negotiate YWJjZA=='],
    ['NTLM', 'NTLM'],
    ['several of a gateway', 'Negotiate, NTLM, Basic realm="x"'],
    ['a realm that speaks of a Bearer', 'Basic realm="use Bearer, Bearer error=invalid_token"'],
    ['a realm that does not end', 'Basic realm="use Bearer, Bearer error=invalid_token'],
    ['a realm that ends in an escape', 'Basic realm="use Bearer, Bearer error=invalid_token\\'],
    ['scope', 'Bearer error="insufficient_scope", scope="write"'],
    ['authentication', 'Bearer error="insufficient_user_authentication", acr_values="mfa"'],
    ['claims', 'Bearer realm="", error="insufficient_claims", claims="eyJhIjoxfQ=="'],
    ['a nonce', 'DPoP error="use_dpop_nonce"'],
    ['a proof', 'DPoP error="invalid_dpop_proof", algs="ES256"'],
    ['an error that comes first', 'Bearer error="insufficient_scope", error="invalid_token"'],
  ])('%s: %s', (_, header) => {
    expect(refusesToken(header)).toBe(false);
  });
});

describe('parseChallenges', () => {
  test.each([
    ['nothing', '', []],
    ['schemes without parameters', 'Bearer, Negotiate', [['bearer'], ['negotiate']]],
    ['parameters in any case', 'Bearer Realm="A"', [['bearer', { realm: 'A' }]]],
    ['an empty value', 'Bearer realm="", scope=""', [['bearer', { realm: '', scope: '' }]]],
    ['an escaped value', String.raw`Bearer realm="a\"b\\c"`, [['bearer', { realm: String.raw`a"b\c` }]]],
    ['commas and schemes in a value', 'Bearer realm="a, Basic b=c"', [['bearer', { realm: 'a, Basic b=c' }]]],
    [
      'two challenges',
      'Basic realm="x" , DPoP algs="ES256 PS256", error="use_dpop_nonce"',
      [
        ['basic', { realm: 'x' }],
        ['dpop', { algs: 'ES256 PS256', error: 'use_dpop_nonce' }],
      ],
    ],
    [
      'a token68 as nothing of interest',
      'Negotiate abc/def, Bearer a=b',
      [['negotiate'], ['bearer', { a: 'b' }]],
    ],
    ['a parameter without a scheme', 'realm="x"', []],
    ['the first of two values', 'Bearer a="1", a="2"', [['bearer', { a: '1' }]]],
  ] as [string, string, [string, Record<string, string>?][]][])('reads %s', (_, header, expected) => {
    const challenges = expected.map(([scheme, parameters = {}]) => ({ scheme, parameters }));

    expect(parseChallenges(header)).toEqual(challenges);
  });

  const token = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
  const parameters = fc.dictionary(token, fc.string(), { minKeys: 1, maxKeys: 4, noNullPrototype: true });
  const quote = (value: string): string => `"${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`;

  test('reads back what a server writes', () => {
    const challenges = fc.array(fc.record({ scheme: token, parameters }), { maxLength: 4 });
    const separators = fc.constantFrom(', ', ',', ' ,  ');
    fc.assert(
      fc.property(challenges, separators, (given, separator) => {
        const header = given
          .map(({ scheme, parameters: of }) => {
            const pairs = Object.entries(of).map(([name, value]) => `${name}=${quote(value)}`);
            return `${scheme} ${pairs.join(separator)}`;
          })
          .join(separator);

        expect(parseChallenges(header)).toEqual(given);
      }),
      runs(100),
    );
  });

  test('makes something of any header', () => {
    const piece = fc.constantFrom(
      'Bearer',
      'Basic',
      'error',
      '=',
      '"',
      "'",
      ',',
      ' ',
      '\\',
      'invalid_token',
      '=="',
    );
    const header = fc.oneof(
      fc.string({ unit: character }),
      fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join('')),
    );
    fc.assert(
      fc.property(header, (text) => {
        for (const { scheme, parameters: of } of parseChallenges(text)) {
          expect(scheme).toBe(scheme.toLowerCase());
          for (const value of Object.values(of)) expect(typeof value).toBe('string');
        }

        expect(typeof refusesToken(text)).toBe('boolean');
      }),
      runs(1000),
    );
  });

  test('reads the first 8 KiB, however hard they are to read', () => {
    const header = `${'a="'.repeat(3000)}${'b= '.repeat(3000)}`;

    expect(parseChallenges(`Bearer ${'x'.repeat(8192)}, Basic a=b`)).toHaveLength(1);
    expect(Array.isArray(parseChallenges(header))).toBe(true);
  });
});
