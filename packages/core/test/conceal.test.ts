import { inspect } from 'node:util';
import { expect, test } from '@jest/globals';
import { conceal } from '@unexpired/core';

test('what is concealed is shown neither by inspection nor in JSON, and stays within reach', () => {
  const error = Object.assign(new Error('no'), { request: { secret: 1 }, status: 401 });
  const { request } = error;

  conceal(error, 'request', 'absent');

  expect(inspect(error)).not.toContain('secret');
  expect(JSON.stringify(error)).toBe('{"status":401}');
  expect(error.request).toBe(request);
  expect('absent' in error).toBe(false);
});

test('what is assigned anew shows again, the same value does not', () => {
  const agent = { secret: 1 };
  const config = { agent };
  conceal(config, 'agent');

  config.agent = agent;
  expect(Object.keys(config)).toEqual([]);
  config.agent = { secret: 2 };

  expect(config).toEqual({ agent: { secret: 2 } });
  expect(Object.keys(config)).toEqual(['agent']);
});

test('concealing twice changes nothing', () => {
  const error = { request: 'secret' };

  conceal(error, 'request');
  conceal(error, 'request');

  expect(error.request).toBe('secret');
  expect(Object.keys(error)).toEqual([]);
});
