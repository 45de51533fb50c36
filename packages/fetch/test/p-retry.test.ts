import { beforeEach, expect, test } from '@jest/globals';
import { fetchAuth } from '@unexpired/fetch';
import pRetry from 'p-retry';
import { openWorld, statuses, type World } from '../../../test/world.ts';

let scene: World;

beforeEach(async () => {
  scene = await openWorld();
});

/** What fetch takes for a success and p-retry for a failure. */
async function sendOrThrow(send: () => Promise<Response>): Promise<Response> {
  const response = await send();
  if (response.status !== 503) return response;
  await response.body?.cancel();
  throw new Error('unavailable');
}

const atOnce = { retries: 1, minTimeout: 0, randomize: false };

test('a repeat after a 503 carries the access token that was obtained meanwhile', async () => {
  const { api, authorization, tokens, first } = scene;
  const authFetch = fetchAuth(tokens);
  api.next(503);
  async function rotate(): Promise<void> {
    authorization.revokeAccessTokens();
    await authFetch(`${api.origin}/other`);
  }

  const response = await pRetry(() => sendOrThrow(() => authFetch(`${api.origin}/retried`)), {
    ...atOnce,
    onFailedAttempt: rotate,
  });

  expect(response.status).toBe(200);
  const attempts = api.requests.filter(({ url }) => url === '/retried');
  const next = authorization.exchanges[0]?.issued?.access_token;
  expect(attempts.map(({ authorization: sent }) => sent)).toEqual([
    [`Bearer ${first.access_token}`],
    [`Bearer ${next}`],
  ]);
  expect(authorization.exchanges).toHaveLength(1);
});

test('a repeat whose access token was revoked after the 503 is replayed with a fresh one', async () => {
  const { api, authorization, tokens, first } = scene;
  const authFetch = fetchAuth(tokens);
  api.next(503);

  const response = await pRetry(() => sendOrThrow(() => authFetch(api.origin)), {
    ...atOnce,
    onFailedAttempt: () => authorization.revokeAccessTokens(),
  });

  expect(response.status).toBe(200);
  expect(statuses(api)).toEqual([503, 401, 200]);
  const next = authorization.exchanges[0]?.issued?.access_token;
  expect(api.requests.map(({ bearerToken }) => bearerToken)).toEqual([
    first.access_token,
    first.access_token,
    next,
  ]);
});
