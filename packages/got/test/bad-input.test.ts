import { createTokenSource, type TokenSource } from '@unexpired/core';
import { gotAuth } from '@unexpired/got';
import got from 'got';
import { misusesOfAdapter, misusesOfRequests, SECRET, testMisuses } from '../../../test/bad-input.ts';

// Nothing listens there: what is sent fails in another way.
const API = 'http://127.0.0.1:1';
const source = createTokenSource({
  origins: [API],
  refresh: () => ({ access_token: SECRET }),
  tokens: { access_token: SECRET, expires_in: 3600 },
});

function send(tokens: unknown, unexpired: unknown): PromiseLike<unknown> {
  const client = got.extend({ retry: { limit: 0 } }, gotAuth(tokens as TokenSource));
  return client(API, { context: { unexpired } });
}

testMisuses('got', {
  gotAuth: [
    ...misusesOfAdapter((tokens, options) => gotAuth(tokens as TokenSource, options as object), source),
    ...misusesOfRequests((unexpired) => send(source, unexpired)),
    ...misusesOfRequests((unexpired) =>
      got.extend(gotAuth(source)).stream(API, { context: { unexpired } } as object),
    ),
  ],
});
