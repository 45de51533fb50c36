import assert from 'node:assert/strict';
import { createStatusReader, tell, type ClientStory } from './scenery.ts';

export interface RetryStory extends Omit<ClientStory, 'call' | 'isSignInNeeded'> {
  /** One PUT of `{ title: 'June' }`, which the client repeats of its own accord after a 503. */
  readonly put: () => Promise<unknown>;
  readonly statusOf: (error: unknown) => unknown;
}

/** What a client with retries has to stand: tokens that change between its attempts, and a 401 that stays. */
export async function tellRetryStory(story: RetryStory): Promise<void> {
  const { authorizationServer, apiServer, tokens, put, statusOf } = story;
  const { exchanges } = authorizationServer;
  const statuses = createStatusReader(apiServer);
  statuses();
  let before = exchanges.length;

  const next = await authorizationServer.signIn();
  const signInAndFail = async () => {
    await tokens.signIn(next);
    return { status: 503 };
  };
  const revokeAndFail = () => {
    authorizationServer.revokeAccessTokens();
    return { status: 503 };
  };
  apiServer.next(signInAndFail, revokeAndFail);
  assert.deepEqual(await put(), { reports: [] });
  assert.deepEqual(statuses(), [503, 503, 401, 200]);
  assert.equal(exchanges.length, (before += 1));
  const attempts = apiServer.requests.slice(-4);
  const current = await tokens.getAccessToken();
  const [, ...others] = attempts.map(({ bearerToken }) => bearerToken);
  assert.deepEqual(others, [next.access_token, next.access_token, current]);
  for (const { body } of attempts) assert.equal(body.toString(), '{"title":"June"}');
  tell('two retries: each carries the token of its moment, and one 401 on the way is cured');

  apiServer.next(401, 401);
  await assert.rejects(put(), (error) => statusOf(error) === 401);
  assert.deepEqual(statuses(), [401, 401]);
  assert.equal(exchanges.length, before + 1);
  tell('a 401 that stays: 1 refresh and 1 replay, no retry');
}
