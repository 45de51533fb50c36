import { createTokenSource, type TokenSource } from '@unexpired/core';
import { undiciAuth } from '@unexpired/undici';
import { Agent, request } from 'undici';
import { misusesOfAdapter, misusesOfRequests, SECRET, testMisuses } from '../../../test/bad-input.ts';

// Nothing listens there: what is sent fails in another way.
const API = 'http://127.0.0.1:1';
const source = createTokenSource({
  origins: [API],
  refresh: () => ({ access_token: SECRET }),
  tokens: { access_token: SECRET, expires_in: 3600 },
});

function send(tokens: unknown, unexpired: unknown): Promise<unknown> {
  const dispatcher = new Agent().compose(undiciAuth(tokens as TokenSource));
  return request(API, { dispatcher, unexpired: unexpired as object });
}

testMisuses('undici', {
  undiciAuth: [
    ...misusesOfAdapter((tokens, options) => undiciAuth(tokens as TokenSource, options as object), source),
    ...misusesOfRequests((unexpired) => send(source, unexpired)),
    [
      'a resolver of no source',
      () => send(() => SECRET, {}),
      /`tokens` must be a resolver of token sources, got a string/,
    ],
  ],
});
