import { checkOptions, invalidOption, type Check, type Checks } from '@unexpired/core';

export const NUMBER: Check = ['a number', (value) => typeof value === 'number' && !Number.isNaN(value)];
export const BOOLEAN: Check = ['true or false', (value) => typeof value === 'boolean'];
export const FUNCTION: Check = ['a function', (value) => typeof value === 'function'];
export const TEXT: Check = ['a string', (value) => typeof value === 'string'];
export const LIST: Check = ['a list', Array.isArray];
export const OBJECT: Check = ['an object', isObject];
export const CLOCK: Check = [
  'a clock with now()',
  (value) => typeof (value as { now?: unknown } | null)?.now === 'function',
];
export const TEST: Check = [
  'a test function with skip()',
  (value) => typeof value === 'function' && typeof (value as { skip?: unknown }).skip === 'function',
];

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A misspelled option must not make a test pass: a TypeError says what is wrong, and what is missing. */
export function checkGiven(options: unknown, checks: Checks, ...required: readonly string[]): void {
  checkOptions(options, checks);
  for (const name of required) {
    if ((options as Record<string, unknown>)[name] === undefined)
      throw invalidOption(name, checks[name]![0], undefined);
  }
}
