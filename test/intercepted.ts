import { afterEach, beforeEach } from '@jest/globals';
import { createTokenSource, type TokenSource } from '@unexpired/core';
import nock from 'nock';
import { afterwards } from './world.ts';

export const API = 'https://api.example.com';

/** Signed in with the access token `first`. */
export function openTokens(): TokenSource {
  const tokens = createTokenSource({
    origins: [API],
    refresh: () => fetch('https://id.example.com/token', { method: 'POST' }),
    tokens: { access_token: 'first', refresh_token: 'r1', expires_in: 3600 },
  });
  afterwards(() => tokens.close());
  return tokens;
}

/**
 * Lets nock answer every request of the tests in a file. It takes over what all tests of this process send through: only
 * as long as a test here runs.
 */
export function interceptAll(): void {
  beforeEach(() => {
    if (!nock.isActive()) nock.activate();
    nock.disableNetConnect();
  });

  afterEach(() => {
    nock.cleanAll();
    nock.enableNetConnect();
    nock.restore();
  });
}

export function sees(authorization: string): nock.Options {
  return { reqheaders: { authorization } };
}
