import { describe, expect, test } from '@jest/globals';
import { createTokenSource } from '@unexpired/core';
import { undiciAuth } from '@unexpired/undici';
import { interceptors, RetryAgent, type Agent, type Dispatcher } from 'undici';
import { interceptors as interceptors7 } from 'undici-7';
import { afterwards, bearerTokens, openWorld, rejectionOf, statuses } from '../../../test/world.ts';
import { openAgent, openAgent7, openScene, redirectTo, sendBy } from './scene.ts';

type Interceptor = Dispatcher.DispatcherComposeInterceptor;

interface Version {
  readonly open: (options?: Agent.Options) => Agent;
  readonly retry: Interceptor;
  readonly redirect: Interceptor;
}

const options = { minTimeout: 1, maxRetries: 3 };
const versions: [string, Version][] = [
  [
    'undici 8',
    {
      open: openAgent,
      retry: interceptors.retry(options),
      redirect: interceptors.redirect({ maxRedirections: 3 }),
    },
  ],
  [
    'undici 7',
    {
      open: openAgent7,
      retry: interceptors7.retry(options) as never,
      redirect: interceptors7.redirect({ maxRedirections: 3 }) as never,
    },
  ],
];

describe.each(versions)('with the interceptors of %s', (_, { open, retry, redirect }) => {
  test('each attempt of a retry carries the access token of that moment', async () => {
    const { api, tokens, authorization, first } = await openWorld();
    const second = await authorization.signIn();
    api.next(async () => {
      await tokens.signIn(second);
      return { status: 503 };
    });
    const dispatcher = open().compose(undiciAuth(tokens), retry);

    const { status } = await sendBy(dispatcher, api.origin);

    expect(status).toBe(200);
    expect(bearerTokens(api)).toEqual([first.access_token, second.access_token]);
  });

  test('a retry and a redirect send again what a 401 was answered with', async () => {
    const { api, tokens, authorization } = await openWorld();
    authorization.revokeAccessTokens();
    api.next({}, 503, redirectTo('/moved'));
    const dispatcher = open().compose(undiciAuth(tokens), retry, redirect);

    const { status } = await sendBy(dispatcher, api.origin);

    expect(status).toBe(200);
    expect(statuses(api)).toEqual([401, 503, 302, 200]);
    expect(authorization.exchanges).toHaveLength(1);
  });

  test('a redirect takes the access token to listed origins only', async () => {
    const { api, elsewhere, tokens } = await openWorld();
    api.next(redirectTo(elsewhere.origin));
    elsewhere.next(redirectTo(`${api.origin}/back`));
    const dispatcher = open().compose(undiciAuth(tokens), retry, redirect);

    const { status } = await sendBy(dispatcher, api.origin);

    expect(status).toBe(200);
    expect(elsewhere.requests[0]?.bearerToken).toBeUndefined();
    expect(bearerTokens(api).every(Boolean)).toBe(true);
  });

  test.each([
    ['retry', retry],
    ['redirect', redirect],
  ])('%s before the adapter is refused before anything is sent', async (__, wrong) => {
    const { api, tokens } = await openWorld();
    const dispatcher = open().compose(wrong, undiciAuth(tokens));

    const sent = sendBy(dispatcher, api.origin);

    await expect(sent).rejects.toThrow(TypeError);
    await expect(sent).rejects.toThrow(/compose\(undiciAuth\(tokens\), interceptors\.retry\(\)/);
    expect(api.requests).toHaveLength(0);
  });

  test('the wrong order is not tried again by a retry that comes after', async () => {
    const { api, tokens } = await openWorld();
    const dispatcher = open().compose(redirect, undiciAuth(tokens), retry);

    await expect(sendBy(dispatcher, api.origin)).rejects.toThrow(TypeError);
    expect(api.requests).toHaveLength(0);
  });

  test('the wrong order sends nothing either when its caller leaves', async () => {
    const { api, tokens } = await openWorld();
    const agent = open({ connections: 1 });
    api.next({ hold: 'answer' });
    const busy = sendBy(agent, api.origin);
    await api.requestArrived();
    const controller = new AbortController();
    const { signal } = controller;
    const dispatcher = agent.compose(retry, undiciAuth(tokens));
    const sent = rejectionOf(sendBy(dispatcher, api.origin, { signal }));
    await tokens.getAccessToken();
    await new Promise(setImmediate);

    controller.abort(new Error('enough'));

    expect((await sent).message).toBe('enough');
    api.release();
    await busy;
    await sendBy(agent, api.origin);
    expect(api.requests).toHaveLength(2);
  });

  test('the adapter may be attached twice', async () => {
    const { api, tokens } = await openWorld();
    api.always(401);
    const always = { replaceAuthorization: true };
    const dispatcher = open().compose(undiciAuth(tokens, always), undiciAuth(tokens, always));

    const { status } = await sendBy(dispatcher, api.origin);

    expect(status).toBe(401);
    expect(api.requests).toHaveLength(2);
  });
});

test('a RetryAgent may be put around it', async () => {
  const { api, tokens, authorization } = await openWorld();
  authorization.revokeAccessTokens();
  api.next(503);
  const agent = new RetryAgent(openAgent().compose(undiciAuth(tokens)) as Agent, options);

  expect((await sendBy(agent, api.origin)).status).toBe(200);
  expect(statuses(api)).toEqual([503, 401, 200]);
});

test('a cache before the adapter keeps no answers of one account for another', async () => {
  const { api, tokens, authorization } = await openWorld();
  const second = await authorization.signIn();
  api.always(({ bearerToken }) => ({
    headers: { 'Cache-Control': 'max-age=60' },
    body: bearerToken === second.access_token ? 'second' : 'first',
  }));
  const dispatcher = openAgent().compose(interceptors.cache(), undiciAuth(tokens));
  const before = await sendBy(dispatcher, api.origin);
  await tokens.signIn(second);

  const after = await sendBy(dispatcher, api.origin);

  expect([before.text, after.text]).toEqual(['first', 'second']);
});

test('a deduplication before the adapter gives no answer of one account to another', async () => {
  const { api, tokens, authorization, first } = await openWorld();
  const second = createTokenSource({
    origins: [api.origin],
    tokens: await authorization.signIn(),
    refresh: () => ({}) as never,
  });
  afterwards(() => second.close());
  api.always(({ bearerToken }) => ({ body: bearerToken === first.access_token ? 'first' : 'second' }));
  const byAccount = undiciAuth(({ account }) => (account === 'first' ? tokens : second));
  const dispatcher = openAgent().compose(interceptors.deduplicate(), byAccount);
  const ask = (account: string) => sendBy(dispatcher, api.origin, { unexpired: { account } });

  const answers = await Promise.all([ask('first'), ask('second'), ask('second')]);

  expect(answers.map(({ text }) => text)).toEqual(['first', 'second', 'second']);
  expect(api.requests).toHaveLength(2);
});

test('an interceptor that makes errors of responses, after the adapter, sees the last one', async () => {
  const { api, authorization, send } = await openScene({ after: [interceptors.responseError()] });
  authorization.revokeAccessTokens();

  expect((await send('/')).status).toBe(200);
  api.always(401);
  await expect(send('/')).rejects.toThrow('Response Error');
});

test('interceptors before and after the adapter see each attempt, and the call', async () => {
  const seen: string[] = [];
  const note =
    (name: string): Interceptor =>
    (dispatch) =>
    (opts, handler) => {
      seen.push(name);
      return dispatch(opts, handler);
    };
  const { authorization, send } = await openScene({ before: [note('inner')], after: [note('outer')] });
  authorization.revokeAccessTokens();

  await send('/');

  expect(seen).toEqual(['outer', 'inner', 'inner']);
});
