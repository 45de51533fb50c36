import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { AccessTokenError, causeOf, copyOf, factsOf, isAccessTokenError } from '../src/errors.ts';

describe('AccessTokenError', () => {
  test('says what happened', () => {
    const cause = new Error('closed');
    const error = new AccessTokenError('ERR_REFRESH_FAILED', 'It broke.', { cause, retryAfterMs: 500 });

    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: 'AccessTokenError',
      code: 'ERR_REFRESH_FAILED',
      message: 'It broke.',
      permanent: false,
      retryAfterMs: 500,
      cause,
    });
    expect(String(error)).toBe('AccessTokenError: It broke.');
  });

  test('has no cause where there is none', () => {
    expect('cause' in new AccessTokenError('ERR_STORE_FAILED', 'It broke.')).toBe(false);
  });

  test.each([
    ['ERR_ACCOUNT_DISABLED', undefined, true],
    ['ERR_ACCOUNT_DISABLED', false, false],
    ['ERR_REAUTHENTICATION_REQUIRED', undefined, false],
    ['ERR_REAUTHENTICATION_REQUIRED', true, true],
    ['ERR_REFRESH_FAILED', undefined, false],
  ] as const)('%s with permanent: %p is permanent: %p', (code, permanent, expected) => {
    expect(new AccessTokenError(code, 'It broke.', { permanent }).permanent).toBe(expected);
  });
});

describe('isAccessTokenError', () => {
  test.each([
    ['an error of this copy', new AccessTokenError('ERR_STORE_FAILED', 'x'), true],
    [
      'an error of another copy',
      Object.assign(new Error('x'), { name: 'AccessTokenError', code: 'ERR_NEW' }),
      true,
    ],
    ['another error', Object.assign(new Error('x'), { code: 'ERR_STORE_FAILED' }), false],
    ['one without a code', Object.assign(new Error('x'), { name: 'AccessTokenError' }), false],
    ['a string', 'AccessTokenError', false],
    ['null', null, false],
    ['undefined', undefined, false],
  ])('%s', (_, value, expected) => {
    expect(isAccessTokenError(value)).toBe(expected);
  });
});

describe('copyOf', () => {
  const error = new AccessTokenError('ERR_REFRESH_FAILED', 'It broke.', {
    cause: new Error('closed'),
    permanent: true,
    retryAfterMs: 500,
  });

  test('is another error that says the same', () => {
    const copy = copyOf(error);

    expect(copy).not.toBe(error);
    expect(copy).toEqual(error);
    expect(copy).toMatchObject({
      code: 'ERR_REFRESH_FAILED',
      permanent: true,
      retryAfterMs: 500,
      cause: error.cause,
    });
  });

  test('tells the time that remains', () => {
    expect(copyOf(error, 200).retryAfterMs).toBe(200);
    expect(copyOf(error, 0).retryAfterMs).toBe(0);
    expect(error.retryAfterMs).toBe(500);
  });
});

describe('a cause', () => {
  test('holds the facts that there are', () => {
    const cause = causeOf({ name: 'OAuthError', status: 400, code: undefined, error: 'invalid_grant' });

    expect(cause).toBeInstanceOf(Error);
    expect(cause.message).toBe('name OAuthError, status 400, error invalid_grant');
    expect(cause).toMatchObject({ name: 'OAuthError', status: 400, error: 'invalid_grant' });
    expect(cause).not.toHaveProperty('code');
  });

  test('is short', () => {
    expect(causeOf({ name: 'x'.repeat(1000) }).name).toHaveLength(300);
  });

  test('tells the name and the code of a foreign error, and nothing else of it', () => {
    const foreign = Object.assign(new TypeError('secret'), {
      code: 'ECONNRESET',
      config: { data: 'secret' },
      response: { data: 'secret' },
      cause: new Error('secret'),
    });
    const cause = causeOf(factsOf(foreign));

    expect(cause).toMatchObject({ name: 'TypeError', code: 'ECONNRESET' });
    expect(inspect(cause, { depth: Infinity, showHidden: true })).not.toContain('secret');
  });

  test.each([
    ['secret', { name: 'string' }],
    [undefined, { name: 'undefined' }],
    [null, { name: 'object' }],
    [
      { name: 5, code: 5 },
      { name: undefined, code: undefined },
    ],
  ])('tells %p that was thrown as %j', (thrown, facts) => {
    expect(factsOf(thrown)).toEqual(facts);
  });
});
