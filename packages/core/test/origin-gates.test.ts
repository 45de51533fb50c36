import { describe, expect, test } from '@jest/globals';
import type { Instant } from '../src/clock.ts';
import {
  carryOver,
  closedGate,
  closedMs,
  isOnTrial,
  isOriginClosed,
  trialGate,
  type OriginGate,
} from '../src/origin-gates.ts';

const start = { wall: 1_800_000_000_000, mono: 50_000 };
const after = (ms: number): Instant => ({ wall: start.wall + ms, mono: start.mono + ms });

/** Token a1 was refused, a2 was obtained for it. */
const trial = trialGate(undefined, { refused: 'a1', obtained: 'a2', generation: 2 }, start);

/** So many times in a row a token was refused on trial, and another one obtained as soon as the gate let it. */
function closedTimes(times: number): OriginGate {
  let gate = closedGate(trial, start);
  for (let n = 1; n < times; n += 1) {
    gate = closedGate(trialGate(gate, { refused: 'a2', obtained: 'a2', generation: n }, start), start);
  }
  return gate;
}

describe('an origin for which a token was forced', () => {
  test('has the new token on trial, and its gate open', () => {
    expect(isOnTrial(trial, 'a2', start)).toBe(true);
    expect(isOriginClosed(trial, 'a2', start)).toBe(false);
  });

  test.each([
    ['the token that was refused before', trial, 'a1', 0],
    ['a token that came by other means', trial, 'a3', 0],
    ['any token where nothing was forced', undefined, 'a2', 0],
    ['a token that nobody refused for a minute', trial, 'a2', 60_000],
    ['a token after its gate closed', closedGate(trial, start), 'a2', 0],
  ] as const)('does not try %s', (_, gate, token, ms) => {
    expect(isOnTrial(gate, token, after(ms))).toBe(false);
  });

  test('tries a token for a minute', () => {
    expect(isOnTrial(trial, 'a2', after(59_999))).toBe(true);
  });
});

describe('an origin that refuses a token on trial', () => {
  test('is closed for 5 s', () => {
    const gate = closedGate(trial, after(1000));

    expect(isOriginClosed(gate, 'a2', after(1000))).toBe(true);
    expect(isOriginClosed(gate, 'a2', after(5999))).toBe(true);
    expect(isOriginClosed(gate, 'a2', after(6000))).toBe(false);
  });

  test.each([
    [1, 5000],
    [2, 10_000],
    [3, 20_000],
    [4, 40_000],
    [5, 60_000],
    [50, 60_000],
  ])('the %d. time in a row is closed for %d ms', (times, expected) => {
    expect(closedMs(closedTimes(times))).toBe(expected);
  });

  test('is open for a token that came by other means', () => {
    expect(isOriginClosed(closedGate(trial, start), 'a3', start)).toBe(false);
    expect(isOriginClosed(undefined, 'a2', start)).toBe(false);
  });

  test('begins with 5 s again after another token was accepted', () => {
    const anew = trialGate(closedTimes(4), { refused: 'a8', obtained: 'a9', generation: 9 }, start);

    expect(closedMs(closedGate(anew, start))).toBe(5000);
  });

  test('keeps the gate that it had as it was', () => {
    const before = { ...trial };

    closedGate(trial, after(10));
    trialGate(trial, { refused: 'a2', obtained: 'a3', generation: 3 }, after(10));

    expect(trial).toEqual(before);
  });
});

test('a trial remembers which generation it is about, and begins open', () => {
  const begun = trialGate(undefined, { refused: 'a1', obtained: 'a2', generation: 2 }, start);

  expect(begun).toEqual({ token: 'a2', generation: 2, failures: 0, since: start, closed: false });
});

test('a token that one origin forced carries the gates of the others over', () => {
  const closed = closedGate(trial, start);
  const other = { ...closed, token: 'a1' };
  const gates = new Map([
    ['https://a.example', closed],
    ['https://b.example', other],
  ]);
  carryOver(gates, { refused: 'a2', obtained: 'a3', generation: 3 });

  expect(gates.get('https://a.example')).toEqual({ ...closed, token: 'a3' });
  expect(gates.get('https://b.example')).toBe(other);
  expect(isOriginClosed(gates.get('https://a.example'), 'a3', start)).toBe(true);
});
