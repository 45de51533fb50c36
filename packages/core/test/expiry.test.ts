import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../test/runs.ts';
import {
  dueMs,
  leewayMs,
  lifetimeFor,
  oneShotTtlMs,
  ttlMs,
  wantedTtlMs,
  type Validity,
} from '../src/expiry.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const since = { wall: 1_000_000, mono: 5000 };

function validityOf(lifetimeMs: number | undefined, others: Partial<Validity> = {}): Validity {
  return { since, lifetimeMs, refreshInMs: undefined, fromTheFuture: false, jitter: 0, ...others };
}

describe('lifetime', () => {
  test.each([
    ['is what the server said', 5000, {}, 5000],
    ['is what the server said, whatever is assumed', 5000, { assumedLifetimeMs: 1 }, 5000],
    ['is assumed where the server does not say', undefined, { assumedLifetimeMs: 7000 }, 7000],
    ['has no end where nobody says', undefined, {}, Infinity],
  ])('%s', (_, lifetimeMs, timing, expected) => {
    expect(lifetimeFor(validityOf(lifetimeMs), timing)).toBe(expected);
  });

  test('what remains of it counts from when the request was sent, by the clock that went further', () => {
    const validity = validityOf(10_000);

    expect(ttlMs(validity, {}, { wall: since.wall + 4000, mono: since.mono + 4000 })).toBe(6000);
    expect(ttlMs(validity, {}, { wall: since.wall - DAY, mono: since.mono + 4000 })).toBe(6000);
    expect(ttlMs(validity, {}, { wall: since.wall + 12_000, mono: since.mono })).toBe(-2000);
    expect(ttlMs(validityOf(undefined), {}, { wall: since.wall + DAY, mono: since.mono })).toBe(Infinity);
  });
});

describe('leeway', () => {
  test.each([
    [500, 50],
    [SECOND, 100],
    [5 * SECOND, 500],
    [10 * SECOND, SECOND],
    [15 * SECOND, SECOND],
    [20 * SECOND, SECOND],
    [MINUTE, 3 * SECOND],
    [15 * MINUTE, 45 * SECOND],
    [20 * MINUTE, MINUTE],
    [HOUR, MINUTE],
    [DAY, MINUTE],
    [0, 0],
    [Infinity, 0],
  ])('of a lifetime of %d ms is %d ms', (lifetimeMs, expected) => {
    expect(leewayMs(lifetimeMs, {})).toBeCloseTo(expected, 6);
  });

  test.each([
    ['as it is', 10_000, 3000, 3000],
    ['for at most half of the lifetime', 10_000, 9000, 5000],
    ['when it is 0', 10_000, 0, 0],
    ['of an unknown lifetime too', Infinity, 3000, 3000],
  ])('that the user sets counts %s', (_, lifetimeMs, asked, expected) => {
    expect(leewayMs(lifetimeMs, { leewayMs: asked })).toBe(expected);
  });

  test('never takes more than half of a lifetime', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1, max: 400 * DAY, noNaN: true }),
        fc.option(fc.double({ min: 0, max: 2 ** 31 - 1, noNaN: true }), { nil: undefined }),
        (lifetimeMs, asked) => {
          const leeway = leewayMs(lifetimeMs, { leewayMs: asked });

          expect(leeway).toBeGreaterThanOrEqual(0);
          expect(leeway).toBeLessThanOrEqual(lifetimeMs / 2);
        },
      ),
      runs(100),
    );
  });
});

describe('the point where a refresh is due, before the expiry', () => {
  test.each([
    ['a quarter of a short lifetime', MINUTE, 0, 15 * SECOND],
    ['a quarter of a short lifetime, and a fifth more at most', MINUTE, 1, 18 * SECOND],
    ['15 minutes of a lifetime of an hour', HOUR, 0, 15 * MINUTE],
    ['15 minutes of a lifetime of a day', DAY, 0, 15 * MINUTE],
    ['up to 18 minutes of a lifetime of a day', DAY, 1, 18 * MINUTE],
    ['half of the jitter', DAY, 0.5, 16.5 * MINUTE],
  ])('is %s', (_, lifetimeMs, jitter, expected) => {
    expect(dueMs(validityOf(lifetimeMs, { jitter }), {})).toBeCloseTo(expected, 6);
  });

  test('is never reached by a token of unknown lifetime', () => {
    expect(dueMs(validityOf(undefined), {})).toBe(0);
    expect(dueMs(validityOf(undefined, { fromTheFuture: true, refreshInMs: 1000 }), {})).toBe(0);
    expect(dueMs(validityOf(undefined), { ttlThresholdMs: 5000 })).toBe(0);
  });

  test('follows an assumed lifetime', () => {
    expect(dueMs(validityOf(undefined), { assumedLifetimeMs: MINUTE })).toBe(15 * SECOND);
  });

  test.each([
    ['as it is', 10 * MINUTE, 10 * MINUTE],
    ['for at most half of the lifetime', 50 * MINUTE, 30 * MINUTE],
    ['when it is 0', 0, 0],
  ])('counts the threshold that the user sets %s, without jitter', (_, ttlThresholdMs, expected) => {
    const validity = validityOf(HOUR, { jitter: 1, refreshInMs: 2 * MINUTE });

    expect(dueMs(validity, { ttlThresholdMs })).toBe(expected);
  });

  test.each([
    ['its refresh_in', 20 * MINUTE, 0, 40 * MINUTE],
    ['its refresh_in, a twentieth earlier at most', 20 * MINUTE, 1, 41 * MINUTE],
    ['at least a tenth of the lifetime after it came', 0, 0, 54 * MINUTE],
    ['not a refresh_in that is beyond the expiry', HOUR, 0, 15 * MINUTE],
    ['not a refresh_in that is far beyond the expiry', 10 * HOUR, 0, 15 * MINUTE],
    ['a refresh_in just before the expiry', HOUR - SECOND, 0, SECOND],
  ])('follows the server: %s', (_, refreshInMs, jitter, expected) => {
    expect(dueMs(validityOf(HOUR, { refreshInMs, jitter }), {})).toBeCloseTo(expected, 6);
  });

  test('is reached at once by a record from the future, whatever the user or the server asks', () => {
    const validity = validityOf(HOUR, { fromTheFuture: true, refreshInMs: HOUR / 2 });

    expect(dueMs(validity, { ttlThresholdMs: 0 })).toBeGreaterThan(ttlMs(validity, {}, since));
  });
});

describe('minimum TTL', () => {
  test('counts for at most 90 % of a lifetime', () => {
    expect(wantedTtlMs(30 * MINUTE, HOUR)).toBe(30 * MINUTE);
    expect(wantedTtlMs(2 * HOUR, HOUR)).toBe(54 * MINUTE);
    expect(wantedTtlMs(2 * HOUR, Infinity)).toBe(2 * HOUR);
  });

  test('of a body that is sent once is a minute, or a fifth of a short lifetime', () => {
    expect(oneShotTtlMs(HOUR)).toBe(MINUTE);
    expect(oneShotTtlMs(5 * MINUTE)).toBe(MINUTE);
    expect(oneShotTtlMs(MINUTE)).toBe(12 * SECOND);
    expect(oneShotTtlMs(Infinity)).toBe(MINUTE);
  });
});
