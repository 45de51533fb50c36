import { expect, test } from '@jest/globals';
import { AccessTokenError } from '../src/errors.ts';
import { describe401, explain401, noteReason } from '../src/explain.ts';

const reason = { reason: 'body-spent', isFresh: () => true } as const;

test('explains a response', () => {
  const response = new Response(null, { status: 401 });
  noteReason(response, reason);

  expect(explain401(response)).toEqual({ reason: 'body-spent', fresh: true, error: undefined });
});

test('explains an error by its response', () => {
  const response = { status: 401 };
  noteReason(response, reason);

  expect(explain401(Object.assign(new Error('401'), { response }))).toMatchObject({ reason: 'body-spent' });
});

test('explains an error that is noted itself rather than by its response', () => {
  const response = { status: 401 };
  const error = Object.assign(new Error('401'), { response });
  noteReason(response, reason);
  noteReason(error, { ...reason, reason: 'refused-again' });

  expect(explain401(error)).toMatchObject({ reason: 'refused-again' });
});

test('tells why the refresh failed', () => {
  const response = {};
  const error = new AccessTokenError('ERR_REFRESH_FAILED', 'It broke.');
  noteReason(response, { reason: 'refresh-failed', error, isFresh: () => false });

  expect(explain401(response)).toEqual({ reason: 'refresh-failed', fresh: false, error });
});

test('tells whether another access token is there when it is asked', () => {
  const response = {};
  let fresh = false;
  noteReason(response, { ...reason, isFresh: () => fresh });
  expect(explain401(response)?.fresh).toBe(false);
  fresh = true;

  expect(explain401(response)?.fresh).toBe(true);
});

test('notes nothing where the client has no object for it', () => {
  expect(() => noteReason(undefined, reason)).not.toThrow();
});

test.each([undefined, null, 'x', 401, {}, { response: null }, { response: 'x' }, new Response(null)])(
  'knows nothing of %p',
  (value) => {
    expect(explain401(value)).toBeUndefined();
  },
);

test.each([
  [
    'body-spent',
    'The request was not sent again because its body can be read only once: give `unexpired.body`, a function that makes it anew.',
  ],
  ['refresh-failed', 'No other access token could be had.'],
  ['refused-again', 'A fresh access token was refused too.'],
  ['gate-closed', 'This origin refuses fresh access tokens, so none is obtained because of it for a while.'],
] as const)('says %s as a sentence', (why, sentence) => {
  const response = {};
  noteReason(response, { ...reason, reason: why });

  expect(describe401(response)).toBe(sentence);
});

test('says why the refresh failed', () => {
  const response = {};
  const error = new AccessTokenError('ERR_REFRESH_FAILED', 'It broke.');
  noteReason(response, { reason: 'refresh-failed', error, isFresh: () => false });

  expect(describe401({ response })).toBe('No other access token could be had. It broke.');
});

test('says nothing of what it does not know', () => {
  expect(describe401({})).toBeUndefined();
});
