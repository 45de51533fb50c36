import { expect, test } from '@jest/globals';
import { confine } from '@unexpired/core';
import { createAuthorization } from '../src/authorization.ts';

const authorization = createAuthorization(
  { origin: 'https://api.example.com', token: 'secret' },
  'authorization',
  'Bearer secret',
);

test.each([
  ['within the origin', 'https://api.example.com/other', ['Authorization', 'X-Own']],
  ['to a subdomain', 'https://other.api.example.com/', ['X-Own']],
  ['to another port', 'https://api.example.com:8443/', ['X-Own']],
  ['to another scheme', 'http://api.example.com/', ['X-Own']],
  ['to nowhere that can be told', undefined, ['X-Own']],
])('a redirect %s keeps these headers', (_, url, kept) => {
  const headers = { Authorization: 'Bearer secret', 'X-Own': 'own' };

  confine(authorization, { url, headers });

  expect(Object.keys(headers)).toEqual(kept);
});

test('a header that was set for the other origin stays', () => {
  const headers = { authorization: 'Bearer of-the-other' };

  confine(authorization, { url: 'https://other.example.com/', headers });

  expect(headers).toEqual({ authorization: 'Bearer of-the-other' });
});

test('in a page of the origin, too, a place that is not known is another one', () => {
  const headers = { authorization: 'Bearer secret' };
  Object.assign(globalThis, { location: { href: 'https://api.example.com/page' } });
  try {
    confine(authorization, { url: undefined, headers });
  } finally {
    Reflect.deleteProperty(globalThis, 'location');
  }

  expect(headers).toEqual({});
});
