import { expect, test } from '@jest/globals';
import { mayRepeat, type Reuse } from '../src/suspect.ts';

const grace: Reuse = { graceMs: 30_000 };

test.each([
  ['safe', 'safe', 10_000_000, false, true],
  ['unknown', 'unknown', 9000, true, true],
  ['unknown', 'unknown', 10, false, false],
  ['strict', 'strict', 0, true, false],
  ['a grace period', grace, 30_000, false, true],
  ['a grace period', grace, 30_001, true, false],
] as const)(
  'under %s%.0s, %d ms later, early %s, while the access token is usable: presented %s',
  (...row) => {
    const [, reuse, sinceMs, isEarly, expected] = row;

    expect(mayRepeat(reuse, { sinceMs, isEarly, tokenWorks: true })).toBe(expected);
  },
);

test.each(['safe', 'unknown', 'strict', grace] as const)(
  'under %j a refresh token is presented once the access token is unusable',
  (reuse) => {
    expect(mayRepeat(reuse, { sinceMs: 10_000_000, isEarly: false, tokenWorks: false })).toBe(true);
  },
);
