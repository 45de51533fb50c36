import { expect, test } from '@jest/globals';
import type { Authorization, TokenSourceOptions } from '@unexpired/core';
import {
  answer,
  API,
  authorize,
  COOL_DOWN_MS,
  createAgedScene,
  DUE_MS,
  errorOf,
  EXPIRED_MS,
  headerFrom,
  notSent,
  oauthError,
  refuse,
  settled,
  tokens,
  type Scene,
  type Step,
} from './scene.ts';

const KEY = { header: 'X-Api-Key', value: 'static-key' };

async function createFailedScene(step: Step, fallback: TokenSourceOptions['fallback']): Promise<Scene> {
  const scene = await createAgedScene(EXPIRED_MS, { fallback });
  scene.refresh.always(step);
  await settled(scene.clock, errorOf(scene.source.getAccessToken()));
  return scene;
}

test.each([
  ['a refused grant', oauthError('invalid_grant')],
  ['a plain refusal', answer('', 401)],
  ['a closed account', oauthError('account_suspended')],
  ['an expired refresh token', oauthError('refresh_token_expired')],
])('after %s requests carry the static key', async (_, step) => {
  const { source, events } = await createFailedScene(step, 'static-key');

  expect(await headerFrom(source)).toBe('Bearer static-key');
  expect(events.at(-1)).toMatchObject({ type: 'fallback-used', origin: API });
});

test('a static key may have a header of its own, which adapters are told of', async () => {
  const { source } = await createFailedScene(oauthError('invalid_grant'), KEY);

  const authorization = await authorize(source);

  expect(authorization.headers).toEqual({ 'X-Api-Key': 'static-key' });
  expect(authorization.customHeader).toBe('X-Api-Key');
});

test('a header named Authorization is not a custom one', async () => {
  const { source } = await createFailedScene(oauthError('invalid_grant'), {
    header: 'Authorization',
    value: 'Basic abc',
  });

  expect((await authorize(source)).customHeader).toBeUndefined();
});

test.each([
  ['an outage', notSent, 'ERR_REFRESH_FAILED'],
  ['an overload', answer('', 429, { 'Retry-After': '600' }), 'ERR_REFRESH_FAILED'],
  ['a wrong client', oauthError('invalid_client'), 'ERR_MISCONFIGURED'],
] as const)('%s is no reason for the static key', async (_, step, code) => {
  const { source, clock } = await createFailedScene(step, 'static-key');

  const error = await settled(clock, errorOf((async () => authorize(source))()));

  expect(error['code']).toBe(code);
});

test('getAccessToken never returns the static key', async () => {
  const { source } = await createFailedScene(oauthError('invalid_grant'), 'static-key');

  expect(await errorOf(source.getAccessToken())).toMatchObject({ code: 'ERR_REAUTHENTICATION_REQUIRED' });
});

test('the access token is preferred as long as it is usable', async () => {
  const { source, clock, refresh } = await createAgedScene(DUE_MS, { fallback: 'static-key' });
  refresh.always(oauthError('invalid_grant'));
  await source.getAccessToken();
  await settled(clock, source.flush());

  expect(await headerFrom(source)).toBe('Bearer access-1');
  await clock.advance(EXPIRED_MS - DUE_MS);
  await clock.advance(60_000);
  expect(await headerFrom(source)).toBe('Bearer static-key');
});

test('the one replay after a 401 carries the static key where the grant is dead', async () => {
  const { source, refresh } = await createAgedScene(0, { fallback: 'static-key' });
  refresh.always(oauthError('invalid_grant'));

  const replay = await refuse(source, await authorize(source));

  expect(replay?.headers['authorization']).toBe('Bearer static-key');
});

test('a 401 for the static key is handed on', async () => {
  const { source, refresh, events } = await createFailedScene(oauthError('invalid_grant'), 'static-key');
  const sent = await authorize(source);
  const told = events.length;

  expect(await refuse(source, sent)).toBeUndefined();
  source.settled(sent, 401);

  expect(refresh.calls).toHaveLength(1);
  expect(events.slice(told)).toMatchObject([{ type: 'not-replayed', reason: 'not-ours' }]);
});

test('live clients return to the access token after a sign-in', async () => {
  const { source } = await createFailedScene(oauthError('invalid_grant'), 'static-key');
  expect(await headerFrom(source)).toBe('Bearer static-key');

  await source.signIn(tokens(6));

  expect(await headerFrom(source)).toBe('Bearer access-6');
});

test('live clients return to the access token when a probe after the cool-down succeeds', async () => {
  const { source, refresh, clock } = await createFailedScene(oauthError('invalid_grant'), 'static-key');
  refresh.always(undefined);
  await clock.advance(COOL_DOWN_MS);

  expect(await headerFrom(source)).toBe('Bearer access-2');
});

test('after a sign-out requests carry the static key', async () => {
  const { source } = await createAgedScene(0, { fallback: 'static-key' });

  await source.signOut();

  expect(await headerFrom(source)).toBe('Bearer static-key');
});

test('an aborted caller gets its reason, not the static key', async () => {
  const { source } = await createFailedScene(oauthError('invalid_grant'), 'static-key');
  const signal = AbortSignal.abort(new Error('enough'));

  expect(await errorOf(authorize(source, { signal }))).toMatchObject({ message: 'enough' });
});

test('the static key shows in no inspection of its authorization', async () => {
  const { source } = await createFailedScene(oauthError('invalid_grant'), KEY);
  const authorization: Authorization = await authorize(source);

  expect(JSON.stringify(authorization)).not.toContain('static-key');
  expect(Object.isFrozen(authorization) && Object.isFrozen(authorization.headers)).toBe(true);
});
