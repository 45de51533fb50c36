import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../test/runs.ts';
import { AccessTokenError, type AccessTokenErrorCode } from '../src/errors.ts';
import type { Timing } from '../src/expiry.ts';
import type { Gate } from '../src/gate.ts';
import { decide, freshness, isClosed, isUsable, type Held, type Want } from '../src/lifecycle.ts';

const HOUR = 3_600_000;
const now = { wall: 1_800_000_000_000, mono: 50_000 };

/** A token of one hour that lives `ttlMs` more: leeway one minute, due at 15 minutes. */
function heldFor(ttlMs: number, refused = false): Held {
  const age = HOUR - ttlMs;
  const since = { wall: now.wall - age, mono: now.mono - age };
  const validity = { since, lifetimeMs: HOUR, refreshInMs: undefined, fromTheFuture: false, jitter: 0 };
  return { validity, refused };
}

const nothing = undefined;
const fresh = heldFor(HOUR / 2);
const due = heldFor(HOUR / 10);
const expired = heldFor(30_000);
const refused = heldFor(HOUR / 2, true);

function gateOf(code: AccessTokenErrorCode, durationMs: number, others: Partial<Gate> = {}): Gate {
  const error = new AccessTokenError(code, 'it failed');
  const failed = { since: now, durationMs, error, credential: 'r1', failures: 1 };
  return { ...failed, whileUsable: false, refused: false, ...others };
}

const open = undefined;
const over = gateOf('ERR_REFRESH_FAILED', 0);
const backOff = gateOf('ERR_REFRESH_FAILED', 2000);
const longBackOff = gateOf('ERR_REFRESH_FAILED', 20_000);
const coolDown = gateOf('ERR_REFRESH_REJECTED', 2000);
const dead = gateOf('ERR_REAUTHENTICATION_REQUIRED', Infinity);
const disabled = gateOf('ERR_ACCOUNT_DISABLED', Infinity);
const misconfigured = gateOf('ERR_MISCONFIGURED', 2000);
const storeDown = gateOf('ERR_STORE_FAILED', 1000);
const held = gateOf('ERR_REFRESH_FAILED', Infinity, { whileUsable: true });

function wantOf(others: Partial<Want> = {}): Want {
  return { now, timing: {}, patienceMs: 30_000, ...others };
}

describe('decide', () => {
  test.each([
    // With the gate open.
    ['fresh', fresh, 'open', open, 'use'],
    ['due', due, 'open', open, 'use-and-refresh'],
    ['expired', expired, 'open', open, 'wait'],
    ['refused', refused, 'open', open, 'wait'],
    ['no', nothing, 'open', open, 'wait'],
    // A gate whose time is over is open.
    ['due', due, 'a back-off that is over', over, 'use-and-refresh'],
    ['expired', expired, 'a back-off that is over', over, 'wait'],
    // A token that works is served whatever the gate says, and nothing is started.
    ['fresh', fresh, 'a back-off', backOff, 'use'],
    ['due', due, 'a back-off', backOff, 'use'],
    ['due', due, 'a cool-down', coolDown, 'use'],
    ['due', due, 'a dead grant', dead, 'use'],
    ['due', due, 'a disabled account', disabled, 'use'],
    ['due', due, 'a misconfigured client', misconfigured, 'use'],
    ['due', due, 'a store that fails', storeDown, 'use'],
    ['due', due, 'a refresh token that may be spent', held, 'use'],
    // Without one, a short back-off is waited for, and nothing else.
    ['expired', expired, 'a back-off', backOff, 'wait'],
    ['refused', refused, 'a back-off', backOff, 'wait'],
    ['no', nothing, 'a back-off', backOff, 'wait'],
    ['expired', expired, 'a long back-off', longBackOff, 'fail'],
    ['expired', expired, 'a cool-down', coolDown, 'fail'],
    ['refused', refused, 'a cool-down', coolDown, 'fail'],
    ['no', nothing, 'a dead grant', dead, 'fail'],
    ['expired', expired, 'a disabled account', disabled, 'fail'],
    ['expired', expired, 'a misconfigured client', misconfigured, 'fail'],
    ['expired', expired, 'a store that fails', storeDown, 'fail'],
    // What held back a second presentation ends with the access token.
    ['expired', expired, 'a refresh token that may be spent', held, 'wait'],
    ['refused', refused, 'a refresh token that may be spent', held, 'wait'],
  ] as const)('%s access token and %s%.0s: %s', (...[, token, , gate, expected]) => {
    expect(decide(token, gate, wantOf())).toBe(expected);
  });

  test.each([
    ['that ends within the deadline is waited for', 2000, 2000, 'wait'],
    ['that ends after the deadline fails at once', 2000, 1999, 'fail'],
    ['of 5 s is waited for', 5000, 30_000, 'wait'],
    ['longer than 5 s fails at once, however patient the caller is', 5001, 30_000, 'fail'],
  ])('a back-off %s', (_, durationMs, patienceMs, expected) => {
    const gate = gateOf('ERR_REFRESH_FAILED', durationMs);

    expect(decide(expired, gate, wantOf({ patienceMs }))).toBe(expected);
  });

  test('counts a back-off from when it began', () => {
    const began = { wall: now.wall - 16_000, mono: now.mono - 16_000 };

    expect(decide(expired, { ...longBackOff, since: began }, wantOf())).toBe('wait');
  });

  test('a token that reaches its due point is still fresh', () => {
    expect(decide(heldFor(15 * 60_000), open, wantOf())).toBe('use');
    expect(decide(heldFor(15 * 60_000 - 1), open, wantOf())).toBe('use-and-refresh');
  });

  test.each([
    ['met', heldFor(40 * 60_000), 30 * 60_000, 'use'],
    ['met to the millisecond', heldFor(30 * 60_000), 30 * 60_000, 'use'],
    ['not met', heldFor(30 * 60_000 - 1), 30 * 60_000, 'wait'],
    ['beyond the lifetime, by a new token', heldFor(HOUR), 10 * HOUR, 'use'],
    ['beyond the lifetime, with 90 % left', heldFor(0.9 * HOUR), 10 * HOUR, 'use'],
    ['beyond the lifetime, with less than 90 % left', heldFor(0.9 * HOUR - 1), 10 * HOUR, 'wait'],
    ['0', due, 0, 'use-and-refresh'],
  ])('a minimum TTL that is %s', (_, token, minTtlMs, expected) => {
    expect(decide(token, open, wantOf({ minTtlMs }))).toBe(expected);
  });

  test('a minimum TTL that cannot be had now is passed over while the token is usable', () => {
    expect(decide(due, coolDown, wantOf({ minTtlMs: HOUR }))).toBe('use');
    expect(decide(due, backOff, wantOf({ minTtlMs: HOUR }))).toBe('use');
  });

  test('a body that is sent once wants a minute, and no less than the caller asks', () => {
    const timing = { leewayMs: 0 };

    expect(decide(heldFor(60_000), open, wantOf({ timing, oneShot: true }))).toBe('use-and-refresh');
    expect(decide(heldFor(59_999), open, wantOf({ timing, oneShot: true }))).toBe('wait');
    expect(decide(heldFor(59_999), open, wantOf({ timing, oneShot: false }))).toBe('use-and-refresh');
    expect(decide(heldFor(90_000), open, wantOf({ timing, oneShot: true, minTtlMs: 100_000 }))).toBe('wait');
  });

  test('a threshold below the leeway means no refresh in the background', () => {
    const timing = { ttlThresholdMs: 30_000 };

    expect(decide(heldFor(60_001), open, wantOf({ timing }))).toBe('use');
    expect(decide(heldFor(60_000), open, wantOf({ timing }))).toBe('wait');
  });

  test('a record from the future is used, and refreshed at once', () => {
    const future: Held = { ...fresh, validity: { ...fresh.validity, since: now, fromTheFuture: true } };

    expect(decide(future, open, wantOf())).toBe('use-and-refresh');
    expect(freshness(future, {}, now)).toBe('due');
  });

  test('never makes a caller with a working token and no wishes wait, and never sends a token that does not work', () => {
    const timings = fc.record(
      {
        ttlThresholdMs: fc.integer({ min: 0, max: 2 * HOUR }),
        leewayMs: fc.integer({ min: 0, max: 2 * HOUR }),
      },
      { requiredKeys: [] },
    );
    const gates = fc.constantFrom(open, over, backOff, longBackOff, coolDown, dead, disabled, held);
    fc.assert(
      fc.property(
        fc.integer({ min: -HOUR, max: HOUR }),
        fc.boolean(),
        gates,
        timings,
        (ttl, wasRefused, gate, timing: Timing) => {
          const token = heldFor(ttl, wasRefused);
          const decision = decide(token, gate, wantOf({ timing }));

          expect(decision.startsWith('use')).toBe(isUsable(token, timing, now));
        },
      ),
      runs(100),
    );
  });

  test.each([1000, 2000, 10_000, 60_000, HOUR, 30 * 24 * HOUR])(
    'a token of %d ms is fresh, then due, then expired',
    (lifetimeMs) => {
      const states = [0, 0.5, 0.69, 0.76, 0.89, 0.9, 0.96, 0.9999].map((share) => {
        const age = lifetimeMs * share;
        const since = { wall: now.wall - age, mono: now.mono - age };
        const validity = { since, lifetimeMs, refreshInMs: undefined, fromTheFuture: false, jitter: 0 };
        return freshness({ validity, refused: false }, {}, now);
      });

      expect(states[0]).toBe('fresh');
      expect(states).toEqual(states.toSorted((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b)));
      if (lifetimeMs <= HOUR) expect(states[3]).toBe('due');
    },
  );
});

const ORDER = ['fresh', 'due', 'expired'];

describe('isUsable', () => {
  test.each([
    ['nothing', nothing, false],
    ['a token with more than the leeway left', heldFor(60_001), true],
    ['a token with just the leeway left', heldFor(60_000), false],
    ['a token that was refused', refused, false],
  ])('%s', (_, token, expected) => {
    expect(isUsable(token, {}, now)).toBe(expected);
  });
});

describe('isClosed', () => {
  test.each([
    ['no gate', open, true, false],
    ['a gate whose time is over', over, true, false],
    ['a gate', backOff, true, true],
    ['a gate, without a token', backOff, false, true],
    ['a gate for as long as the token works, with one', held, true, true],
    ['a gate for as long as the token works, without one', held, false, false],
  ])('%s', (_, gate, usable, expected) => {
    expect(isClosed(gate, usable, now)).toBe(expected);
  });
});

describe('freshness', () => {
  test.each([
    ['none', 'nothing', nothing],
    ['fresh', 'half of the lifetime', fresh],
    ['fresh', 'the threshold', heldFor(15 * 60_000)],
    ['due', 'less than the threshold', heldFor(15 * 60_000 - 1)],
    ['expired', 'less than the leeway', expired],
    ['expired', 'half of the lifetime, but refused', refused],
  ])('is %s with %s left', (expected, _, token) => {
    expect(freshness(token, {}, now)).toBe(expected);
  });
});
