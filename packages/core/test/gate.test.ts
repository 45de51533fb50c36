import { describe, expect, test } from '@jest/globals';
import { AccessTokenError, type AccessTokenErrorCode } from '../src/errors.ts';
import { errorOf, type Failure, type FailureKind } from '../src/failure.ts';
import { gateAfter, healthOf, isRefusal, remainingMs, type Gate, type GateInputs } from '../src/gate.ts';

const now = { wall: 1_800_000_000_000, mono: 50_000 };
const COOL_DOWN = 5 * 60_000;

function failureOf(kind: FailureKind, others: Partial<Failure> = {}): Failure {
  return { kind, outcomeUnknown: false, text: 'it failed', facts: {}, ...others };
}

function after(failure: Failure, others: Partial<GateInputs> = {}): Gate {
  const inputs = { credential: 'r1', previous: undefined, now, jitter: 0.5, hold: false, ...others };
  return gateAfter(failure, (judged) => errorOf(judged, { account: 'alice', secrets: [] }), inputs);
}

/** The gate after the same failure came so many times in a row. */
function afterFlights(kind: FailureKind, flights: number): Gate {
  let gate = after(failureOf(kind));
  for (let flight = 2; flight <= flights; flight += 1) gate = after(failureOf(kind), { previous: gate });
  return gate;
}

describe('the gate after a failed flight', () => {
  test.each([
    ['transient', 'ERR_REFRESH_FAILED', 250, 'backing-off'],
    ['malformed', 'ERR_REFRESH_FAILED', 250, 'backing-off'],
    ['puzzling', 'ERR_REFRESH_FAILED', 250, 'backing-off'],
    ['throttled', 'ERR_REFRESH_FAILED', 250, 'backing-off'],
    ['rejected', 'ERR_REFRESH_REJECTED', COOL_DOWN, 'rejected'],
    ['refused', 'ERR_REAUTHENTICATION_REQUIRED', COOL_DOWN, 'signed-out'],
    ['revoked', 'ERR_REAUTHENTICATION_REQUIRED', Infinity, 'signed-out'],
    ['disabled', 'ERR_ACCOUNT_DISABLED', Infinity, 'disabled'],
    ['misconfigured', 'ERR_MISCONFIGURED', COOL_DOWN, 'misconfigured'],
    ['other-account', 'ERR_ACCOUNT_MISMATCH', COOL_DOWN, 'misconfigured'],
  ] as const)('that was %s has %s for %d ms: %s', (kind, code, durationMs, health) => {
    const gate = after(failureOf(kind));

    expect(gate).toMatchObject({ since: now, durationMs, credential: 'r1', failures: 1, whileUsable: false });
    expect(gate.error.code).toBe(code);
    expect(healthOf(gate)).toBe(health);
    expect(isRefusal(gate)).toBe(code !== 'ERR_REFRESH_FAILED');
  });

  test.each([
    [1, 500],
    [2, 1000],
    [3, 2000],
    [7, 32_000],
    [8, 60_000],
    [2000, 60_000],
  ])('backs off, after %d flights in a row, up to %d ms by full jitter', (flights, longest) => {
    const previous = flights === 1 ? undefined : { ...after(failureOf('transient')), failures: flights - 1 };

    expect(after(failureOf('transient'), { previous, jitter: 0 }).durationMs).toBe(0);
    expect(after(failureOf('transient'), { previous, jitter: 0.5 }).durationMs).toBe(longest / 2);
    expect(after(failureOf('transient'), { previous, jitter: 1 }).durationMs).toBe(longest);
  });

  test.each(['throttled', 'transient'] as const)(
    'waits, %s, for as long as the server asks, and a little longer',
    (kind) => {
      const failure = failureOf(kind, { retryAfterMs: 20_000 });

      expect(after(failure, { jitter: 0 }).durationMs).toBe(20_000);
      expect(after(failure, { jitter: 1 }).durationMs).toBe(22_000);
    },
  );

  test('is for good when a refused refresh token is refused again after the cool-down', () => {
    expect(afterFlights('refused', 1).durationMs).toBe(COOL_DOWN);
    expect(afterFlights('refused', 2).durationMs).toBe(Infinity);
    expect(afterFlights('refused', 3).durationMs).toBe(Infinity);
  });

  test('cools down anew for another refresh token, and after a failure of another kind', () => {
    const refused = after(failureOf('refused'), { credential: 'r0' });
    const outage = afterFlights('transient', 4);

    expect(after(failureOf('refused'), { previous: refused })).toMatchObject({
      durationMs: COOL_DOWN,
      failures: 1,
    });
    expect(after(failureOf('refused'), { previous: outage })).toMatchObject({
      durationMs: COOL_DOWN,
      failures: 5,
    });
  });

  test('is for good at the second refusal, whatever failed in between', () => {
    const refused = afterFlights('refused', 1);
    const outage = after(failureOf('transient'), { previous: refused });
    const puzzled = after(failureOf('rejected'), { previous: outage });

    expect([outage.durationMs, puzzled.durationMs]).toEqual([500, COOL_DOWN]);
    expect(after(failureOf('refused'), { previous: puzzled }).durationMs).toBe(Infinity);
  });

  test('forgets the refusal of another refresh token', () => {
    const outage = after(failureOf('transient'), { previous: afterFlights('refused', 1), credential: 'r2' });

    expect(after(failureOf('refused'), { previous: outage, credential: 'r2' }).durationMs).toBe(COOL_DOWN);
  });

  test.each([
    ['transient', 250],
    ['refused', COOL_DOWN],
    ['revoked', undefined],
  ] as const)('that was %s tells callers to come back after %p ms', (kind, retryAfterMs) => {
    expect(after(failureOf(kind)).error.retryAfterMs).toBe(retryAfterMs);
  });

  test('cools down, never for good, as often as a refusal without a code comes', () => {
    expect(afterFlights('rejected', 5).durationMs).toBe(COOL_DOWN);
    expect(afterFlights('misconfigured', 5).durationMs).toBe(COOL_DOWN);
  });

  test.each([
    ['puzzling', 2, 'ERR_REFRESH_FAILED', 500],
    ['puzzling', 3, 'ERR_REFRESH_REJECTED', COOL_DOWN],
    ['puzzling', 4, 'ERR_REFRESH_REJECTED', COOL_DOWN],
    ['transient', 4, 'ERR_REFRESH_FAILED', 2000],
    ['malformed', 4, 'ERR_REFRESH_FAILED', 2000],
  ] as const)('%s, %d flights in a row, has %s for %d ms', (kind, flights, code, durationMs) => {
    const gate = afterFlights(kind, flights);

    expect(gate.error.code).toBe(code);
    expect(gate.durationMs).toBe(durationMs);
  });

  test('does not count the failures of another refresh token', () => {
    const previous = { ...afterFlights('puzzling', 2), credential: 'r0' };

    expect(after(failureOf('puzzling'), { previous }).error.code).toBe('ERR_REFRESH_FAILED');
  });

  test('holds as long as the access token is usable, where the refresh token may have been spent', () => {
    const gate = after(failureOf('transient', { outcomeUnknown: true }), { hold: true });

    expect(gate).toMatchObject({ durationMs: Infinity, whileUsable: true });
    expect(gate.error.code).toBe('ERR_REFRESH_FAILED');
  });

  test('holds after a puzzling answer, too, while that is no rejection yet', () => {
    expect(after(failureOf('puzzling', { outcomeUnknown: true }), { hold: true })).toMatchObject({
      whileUsable: true,
      durationMs: Number.POSITIVE_INFINITY,
    });
  });

  test('is a cool-down, not a hold, once puzzling answers are a rejection', () => {
    const gate = after(failureOf('puzzling'), { hold: true, previous: afterFlights('puzzling', 2) });

    expect(gate).toMatchObject({ durationMs: COOL_DOWN, whileUsable: false });
  });
});

describe('remainingMs', () => {
  test.each([
    [0, 0, 1000],
    [400, 400, 600],
    [400, 700, 300],
    [-5000, 700, 300],
    [1000, 1000, 0],
    [5000, 5000, 0],
  ])('after %d ms by the wall clock and %d ms by the other: %d', (wall, mono, expected) => {
    const gate = { ...after(failureOf('transient')), durationMs: 1000 };

    expect(remainingMs(gate, { wall: now.wall + wall, mono: now.mono + mono })).toBe(expected);
  });

  test('of a gate that is for good never ends', () => {
    const later = { wall: now.wall + 1e15, mono: now.mono + 1e15 };

    expect(remainingMs(after(failureOf('revoked')), later)).toBe(Infinity);
  });
});

describe('health', () => {
  test('is ok without a gate', () => {
    expect(healthOf(undefined)).toBe('ok');
  });

  test.each(['ERR_STORE_FAILED', 'ERR_LOCK_TIMEOUT'] as const)(
    '%s is a matter of time, and is not waited for',
    (code: AccessTokenErrorCode) => {
      const gate = {
        ...after(failureOf('transient')),
        error: new AccessTokenError(code, 'the disk is full'),
      };

      expect(healthOf(gate)).toBe('backing-off');
      expect(isRefusal(gate)).toBe(true);
    },
  );
});
