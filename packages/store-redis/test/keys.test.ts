import { expect, test } from '@jest/globals';
import { keysOf } from '../src/keys.ts';

test('accounts of any text have keys of their own, all with one part in braces', () => {
  const accounts = [
    'a',
    'A',
    'a b',
    '{a}',
    '}{',
    '%7Ba%7D',
    '\ud800',
    '\udfff',
    '\ufffd',
    '\\ud800',
    'ü',
    '',
    'a:record',
  ];

  const keys = accounts.map((account) => {
    const { channel, ...own } = keysOf('p:', account);
    expect(channel).toBe('p:hints');
    return Object.values(own) as string[];
  });

  expect(new Set(keys.flat()).size).toBe(accounts.length * 5);
  for (const key of keys.flat()) expect(key).toMatch(/^p:\{[^{}]*\}:[a-z]+$|^[a-z]+ [^ ]*$/);
});
