import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../test/runs.ts';
import {
  isAccessToken,
  isFilled,
  lifetimeOf,
  mergeTokens,
  refreshInOf,
  subjectOf,
  type TokenResponse,
} from '../src/token-response.ts';

const character = fc.nat(0x10ffff).map((point) => String.fromCodePoint(point));

const SENT_AT = 1_800_000_000_000;
const LONGEST = 400 * 24 * 3_600_000;

describe('isFilled', () => {
  test.each([
    ['a', true],
    ['', false],
    [5, false],
    [null, false],
    [undefined, false],
    [['a'], false],
  ])('%j: %p', (value, expected) => {
    expect(isFilled(value)).toBe(expected);
  });
});

describe('isAccessToken', () => {
  test.each([
    ['a', true],
    ['~ !az09._-+/=', true],
    ['', false],
    ['a\r\nx: y', false],
    ['\u0000', false],
    ['é', false],
    ['\u007f', false],
    [5, false],
    [undefined, false],
  ])('%j: %p', (value, expected) => {
    expect(isAccessToken(value)).toBe(expected);
  });
});

describe('the lifetime', () => {
  test.each([
    [{ expires_in: 3600 }, 3_600_000],
    [{ expires_in: '3600' }, 3_600_000],
    [{ expires_in: ' 60 ' }, 60_000],
    [{ expires_in: 0.5 }, 500],
    [{ expires_in: 0 }, 0],
    [{ expires_in: -5 }, -5000],
    [{ expires_in: 1e12 }, LONGEST],
    [{ expires_in: 5_184_000 }, 5_184_000_000],
    [{ expires_in: Number.NaN }, undefined],
    [{ expires_in: Infinity }, undefined],
    [{ expires_in: 'soon' }, undefined],
    [{ expires_in: '' }, undefined],
    [{ expires_in: ' ' }, undefined],
    [{ expires_in: null }, undefined],
    [{ expires_in: [60] }, undefined],
    [{}, undefined],
    [{ expires_at: SENT_AT / 1000 + 60 }, 60_000],
    [{ expires_at: String(SENT_AT / 1000 + 60) }, 60_000],
    [{ expires_at: SENT_AT / 1000 - 60 }, -60_000],
    [{ expires_at: SENT_AT + 60_000 }, LONGEST],
    [{ expires_in: 30, expires_at: SENT_AT / 1000 + 60 }, 30_000],
    [{ expires_in: null, expires_at: SENT_AT / 1000 + 60 }, 60_000],
  ])('of %j is %p ms', (response, expected) => {
    expect(lifetimeOf(response as TokenResponse, SENT_AT)).toBe(expected);
  });
});

describe('refresh_in', () => {
  test.each([
    [{ refresh_in: 1800 }, 1_800_000],
    [{ refresh_in: '1800' }, 1_800_000],
    [{ refresh_in: 0 }, 0],
    [{ refresh_in: -1 }, undefined],
    [{ refresh_in: 'never' }, undefined],
    [{ refresh_in: 1e308 }, LONGEST],
    [{}, undefined],
  ])('of %j is %p ms', (response, expected) => {
    expect(refreshInOf(response)).toBe(expected);
  });
});

describe('mergeTokens', () => {
  const old = { access_token: 'a1', refresh_token: 'r1', scope: 'read', tenant: 'x' };
  const loop: Record<string, unknown> = {};
  loop['itself'] = loop;

  test.each([
    [
      'replaces both tokens',
      { access_token: 'a2', refresh_token: 'r2' },
      { access_token: 'a2', refresh_token: 'r2' },
    ],
    ['keeps the refresh token that is left out', { access_token: 'a2' }, { access_token: 'a2' }],
    [
      'keeps the refresh token where an empty one came',
      { access_token: 'a2', refresh_token: '' },
      { access_token: 'a2' },
    ],
    [
      'keeps the refresh token where null came',
      { access_token: 'a2', refresh_token: null },
      { access_token: 'a2' },
    ],
    [
      'keeps the refresh token where undefined came',
      { access_token: 'a2', refresh_token: undefined },
      { access_token: 'a2' },
    ],
    [
      'keeps the access token where an empty one came',
      { access_token: '', refresh_token: 'r2' },
      { refresh_token: 'r2' },
    ],
    ['takes a narrower scope', { access_token: 'a2', scope: '' }, { access_token: 'a2', scope: '' }],
    [
      'takes members that it does not know',
      { tenant: 'y', more: { deep: 1 } },
      { tenant: 'y', more: { deep: 1 } },
    ],
    ['takes null for other members', { tenant: null }, { tenant: null }],
    [
      'takes null for members that are named like tokens',
      { old_access_token: null, refresh_token_hint: null },
      { old_access_token: null, refresh_token_hint: null },
    ],
    ['keeps members that are undefined', { tenant: undefined }, {}],
    ['leaves out what no JSON can hold', { tenant: 5n, more: () => 'x', loop }, {}],
    ['keeps no times, which the record has', { expires_in: 5, expires_at: 6, refresh_in: 7 }, {}],
  ])('%s', (_, response, changed) => {
    expect(mergeTokens(old, response as TokenResponse)).toEqual({ ...old, ...changed });
  });

  test('begins with nothing', () => {
    expect(mergeTokens(undefined, { refresh_token: 'r1' })).toEqual({ refresh_token: 'r1' });
  });

  test('never loses a token or a member, nor changes what it was given', () => {
    const member = fc.oneof(
      fc.constantFrom('access_token', 'refresh_token', 'scope', '__proto__'),
      fc.string(),
    );
    const members = fc.dictionary(member, fc.oneof(fc.string(), fc.jsonValue()));
    const ofRecord = ['expires_in', 'expires_at', 'refresh_in'];
    fc.assert(
      fc.property(members, members, (before, response) => {
        const copies = structuredClone([before, response]);
        const merged = mergeTokens(before, response);

        expect(Object.isFrozen(merged)).toBe(true);
        expect([before, response]).toEqual(copies);
        expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
        for (const name of Object.keys(response).filter((key) => !ofRecord.includes(key))) {
          const isToken = name === 'access_token' || name === 'refresh_token';
          const taken = !isToken || isFilled(response[name]) ? response : before;
          const value = Object.getOwnPropertyDescriptor(merged, name)?.value as unknown;
          expect(value).toEqual(Object.hasOwn(taken, name) ? taken[name] : undefined);
        }
        for (const name of Object.keys(before).filter((key) => !Object.hasOwn(response, key))) {
          expect(Object.getOwnPropertyDescriptor(merged, name)?.value).toEqual(before[name]);
        }
      }),
      runs(100),
    );
  });
});

describe('the subject', () => {
  const idToken = (claims: unknown): string =>
    `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.sig`;

  test.each([
    ['is the sub of the id token', { id_token: idToken({ sub: 'alice' }) }, 'alice'],
    ['may be written with any base64url digit', { id_token: idToken({ sub: 'a?~>>>???' }) }, 'a?~>>>???'],
    ['is unknown without an id token', {}, undefined],
    ['is unknown where the id token is empty', { id_token: '' }, undefined],
    ['is unknown where the id token is no JWT', { id_token: 'opaque' }, undefined],
    ['is unknown where the id token is encrypted', { id_token: 'a.b.c.d.e' }, undefined],
    ['is unknown where the claims are no object', { id_token: idToken(null) }, undefined],
    ['is unknown without a sub', { id_token: idToken({ iss: 'x' }) }, undefined],
    ['is unknown where the sub is no string', { id_token: idToken({ sub: 5 }) }, undefined],
    ['is unknown where the sub is empty', { id_token: idToken({ sub: '' }) }, undefined],
    ['is unknown where the id token is no string', { id_token: 5 }, undefined],
  ])('%s', (_, response, expected) => {
    expect(subjectOf(response as TokenResponse)).toBe(expected);
  });
});

test('whatever a token endpoint sends gives a sane lifetime and a sane subject', () => {
  const value = fc.oneof(fc.jsonValue(), fc.double(), fc.string({ unit: character }));
  const members = fc.constantFrom('expires_in', 'expires_at', 'refresh_in', 'id_token', 'access_token');
  fc.assert(
    fc.property(fc.dictionary(members, value), (response: TokenResponse) => {
      const lifetime = lifetimeOf(response, SENT_AT) ?? 0;
      const refreshIn = refreshInOf(response) ?? 0;

      expect(lifetime).toBeLessThanOrEqual(LONGEST);
      expect(refreshIn).toBeGreaterThanOrEqual(0);
      expect(subjectOf(response) ?? 'x').not.toBe('');
    }),
    runs(500),
  );
});
