import { describe, expect, test } from '@jest/globals';
import { mayRepeatAttempt, mayRepeatClaim, type Reuse } from '../src/suspect.ts';

const grace: Reuse = { graceMs: 30_000 };

describe('the refresh token of a claim that left no result', () => {
  test.each([
    ['safe', 'safe', 10_000_000, true],
    ['unknown', 'unknown', 0, true],
    ['unknown', 'unknown', 1000, true],
    ['unknown', 'unknown', 1001, false],
    ['strict', 'strict', 0, false],
    ['a grace period', grace, 0, true],
    ['a grace period', grace, 30_000, true],
    ['a grace period', grace, 30_001, false],
  ] as const)('under %s%.0s, %d ms old, while the access token is usable: presented %s', (...row) => {
    const [, reuse, ageMs, expected] = row;

    expect(mayRepeatClaim(reuse, ageMs, true)).toBe(expected);
  });

  test.each(['safe', 'unknown', 'strict', grace] as const)(
    'under %j is presented once the access token is unusable',
    (reuse) => {
      expect(mayRepeatClaim(reuse, 10_000_000, false)).toBe(true);
    },
  );
});

describe('an attempt that ended without an answer', () => {
  test.each([
    ['safe', 'safe', 2, 25_000, true],
    ['unknown', 'unknown', 1, 9000, true],
    ['unknown', 'unknown', 2, 10, false],
    ['strict', 'strict', 1, 0, false],
    ['a grace period', grace, 1, 30_000, true],
    ['a grace period', grace, 2, 29_999, true],
    ['a grace period', grace, 1, 30_001, false],
  ] as const)(
    'under %s%.0s, attempt %d, %d ms after the first, while the access token is usable: repeated %s',
    (...row) => {
      const [, reuse, attempt, sinceFirstMs, expected] = row;

      expect(mayRepeatAttempt(reuse, { attempt, sinceFirstMs, tokenWorks: true })).toBe(expected);
    },
  );

  test.each(['safe', 'unknown', 'strict', grace] as const)(
    'under %j is repeated once the access token is unusable',
    (reuse) => {
      expect(mayRepeatAttempt(reuse, { attempt: 2, sinceFirstMs: 60_000, tokenWorks: false })).toBe(true);
    },
  );
});
