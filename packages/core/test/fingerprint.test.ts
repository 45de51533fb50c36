import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../test/runs.ts';
import { fingerprintOf } from '../src/fingerprint.ts';

const character = fc.nat(0x10ffff).map((point) => String.fromCodePoint(point));

const expected = (token: string): string => createHash('sha256').update(token).digest('hex').slice(0, 12);

test('is the first 12 hex digits of the SHA-256', () => {
  expect(fingerprintOf('')).toBe('e3b0c44298fc');
  expect(fingerprintOf('abc')).toBe('ba7816bf8f01');
});

test('is right for every length around the edges of its blocks', () => {
  for (let length = 0; length <= 200; length += 1) {
    const token = 'x'.repeat(length);

    expect([length, fingerprintOf(token)]).toEqual([length, expected(token)]);
  }
});

test('is right for any text', () => {
  fc.assert(
    fc.property(fc.string({ unit: character, maxLength: 300 }), (token) => {
      expect(fingerprintOf(token)).toBe(expected(token));
    }),
    runs(500),
  );
});

test('is right for long tokens', () => {
  const token = 'header.payload.'.repeat(5000);

  expect(fingerprintOf(token)).toBe(expected(token));
});
