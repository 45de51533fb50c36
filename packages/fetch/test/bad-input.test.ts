import { createTokenSource, type TokenSource } from '@unexpired/core';
import { fetchAuth } from '@unexpired/fetch';
import {
  misusesOf,
  misusesOfAdapter,
  misusesOfRequests,
  SECRET,
  testMisuses,
} from '../../../test/bad-input.ts';

// Nothing listens there: what is sent fails in another way.
const API = 'http://127.0.0.1:1';
const source = createTokenSource({
  origins: [API],
  refresh: () => ({ access_token: SECRET }),
  tokens: { access_token: SECRET, expires_in: 3600 },
});

function send(tokens: unknown, unexpired: unknown): Promise<unknown> {
  return fetchAuth(tokens as TokenSource)(API, { unexpired: unexpired as object });
}

testMisuses('fetch', {
  fetchAuth: [
    ...misusesOfAdapter((tokens, options) => fetchAuth(tokens as TokenSource, options as object), source),
    ...misusesOf('fetch', (fetch) => fetchAuth(source, { fetch } as object), ['a function']),
    ...misusesOfRequests((unexpired) => send(source, unexpired)),
    [
      'a resolver of no source',
      () => send(() => SECRET, {}),
      /`tokens` must be a resolver of token sources, got a string/,
    ],
    ['no URL', () => fetchAuth(source)(undefined as never), /Invalid URL|Failed to parse URL/],
    ['a body for a GET', () => fetchAuth(source)(API, { body: SECRET }), /GET\/HEAD method cannot have body/],
  ],
});
