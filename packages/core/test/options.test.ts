import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../test/runs.ts';
import {
  BOOLEAN,
  checkOptions,
  FUNCTION,
  invalidOption,
  isObject,
  MILLISECONDS,
  OBJECT,
  TEXT,
  type Check,
} from '../src/options.ts';

describe('invalidOption', () => {
  test.each([
    [undefined, 'undefined'],
    [null, 'null'],
    [true, 'true'],
    [-1, '-1'],
    [Number.NaN, 'NaN'],
    [['secret'], 'a list'],
    [[], 'an empty list'],
    ['', 'an empty string'],
    ['secret', 'a string'],
    [{ secret: 'secret' }, 'an object'],
    [() => 'secret', 'a function'],
    [Symbol('secret'), 'a symbol'],
    [10n, 'a bigint'],
  ])('tells %p as %s', (value, shown) => {
    const error = invalidOption('limits.waitMs', 'a number', value);

    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toBe(`\`limits.waitMs\` must be a number, got ${shown}`);
  });

  test('tells a number only where a text or a token is not what was expected', () => {
    expect(invalidOption('secret', 'a string that is not empty', 31_337).message).not.toMatch(/31337/);
    expect(invalidOption('tokens', 'a token response', 31_337).message).not.toMatch(/31337/);
    expect(invalidOption('limits', 'an object', 31_337).message).toMatch(/31337/);
  });

  test('never tells what a string or an object holds', () => {
    const secret = 'canary';
    const values = fc.oneof(
      fc.constant(secret),
      fc.array(fc.constant(secret)),
      fc.dictionary(fc.string(), fc.constant(secret)),
    );
    fc.assert(
      fc.property(values, (value) => {
        expect(invalidOption('fallback', 'a key', value).message).not.toContain(secret);
      }),
      runs(100),
    );
  });
});

describe('checkOptions', () => {
  const checks = { waitMs: MILLISECONDS, onEvent: FUNCTION };

  test.each([
    ['none', {}],
    ['all', { waitMs: 5, onEvent: () => undefined }],
    ['undefined for absent', { waitMs: undefined, onEvent: undefined }],
    ['no prototype', Object.assign(Object.create(null) as object, { waitMs: 5 })],
  ])('takes %s', (_, options) => {
    expect(() => checkOptions(options, checks)).not.toThrow();
  });

  test.each([
    [undefined, '', '`options` must be an object, got undefined'],
    [null, '', '`options` must be an object, got null'],
    ['x', '', '`options` must be an object, got a string'],
    [[], '', '`options` must be an object, got an empty list'],
    [5, 'limits', '`limits` must be an object, got 5'],
    [{ waitMs: 'x' }, '', '`waitMs` must be a number of milliseconds from 0 to 2147483647, got a string'],
    [
      { waitMs: null },
      'limits',
      '`limits.waitMs` must be a number of milliseconds from 0 to 2147483647, got null',
    ],
    [{ waitMS: 5 }, '', '`waitMS` is not an option; there are: waitMs, onEvent'],
    [{ waitMS: undefined }, 'limits', '`limits.waitMS` is not an option; there are: waitMs, onEvent'],
    [{ constructor: 5 }, '', '`constructor` is not an option; there are: waitMs, onEvent'],
    [{ toString: 5 }, '', '`toString` is not an option; there are: waitMs, onEvent'],
  ])('%j under %j: %s', (options, path, message) => {
    expect(() => checkOptions(options, checks, path)).toThrow(new TypeError(message));
  });
});

test('checkOptions calls them options where no path is given', () => {
  expect(() => checkOptions(5, {})).toThrow(new TypeError('`options` must be an object, got 5'));
  expect(() => checkOptions({ x: 5 }, { x: TEXT })).toThrow(/^`x` must be /);
});

describe('checks', () => {
  test.each([
    ['MILLISECONDS', MILLISECONDS, [0, 0.5, 2 ** 31 - 1], [-1, 2 ** 31, Infinity, Number.NaN, '5', 5n, null]],
    ['FUNCTION', FUNCTION, [() => 1, class {}], [{}, 'f', null]],
    ['BOOLEAN', BOOLEAN, [true, false], [0, 'true', null]],
    ['OBJECT', OBJECT, [{}, new Map()], [[], null, 'x', () => 1]],
    ['TEXT', TEXT, ['x', ' '], ['', 5, null, ['x']]],
  ] as [string, Check, unknown[], unknown[]][])('%s', (_, [, check], right, wrong) => {
    expect(right.filter((value) => !check(value))).toEqual([]);
    expect(wrong.filter((value) => check(value))).toEqual([]);
  });

  test('isObject is for what has members by name', () => {
    expect([{}, new Date()].every(isObject)).toBe(true);
    expect([[], null, undefined, 'x', 5, () => 1].some(isObject)).toBe(false);
  });
});
