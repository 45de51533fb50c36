import { expect, test } from '@jest/globals';
import { explain401 } from '@unexpired/core';
import { faults } from '@unexpired/testing';
import { ALL } from './clients.ts';
import { countBy, each, endingsOf, lines, newest, openExpiredScene, openScene } from './scene.ts';

const unavailable = { respond: { status: 503 } };

test('a refused grant rejects all who wait alike, leaves the others their 401, and is not asked again', async () => {
  const { api, authorization, send } = await openScene();
  authorization.revokeAccessTokens();
  authorization.always({ ...faults.oauthError('invalid_grant'), hold: 'request' });
  const holding = send(20);
  await Promise.all([api.requestArrived(20), authorization.requestArrived()]);
  const waiting = send(20);

  authorization.release();

  const refused = await holding;
  expect(endingsOf(refused)).toEqual(each(20, 401));
  const explained = refused.map(({ native }) => native && explain401(native)?.reason);
  expect(countBy(explained)).toEqual({ 'refresh-failed': 20 });
  const rejected = await waiting;
  expect(endingsOf(rejected)).toEqual(each(20, 'ERR_REAUTHENTICATION_REQUIRED'));
  expect(new Set(rejected.map(({ error }) => (error as Error).message)).size).toBe(1);
  authorization.always(undefined);
  expect(endingsOf(await send(100))).toEqual(each(100, 'ERR_REAUTHENTICATION_REQUIRED'));
  expect(authorization.exchanges).toHaveLength(1);
  expect(api.requests).toHaveLength(20);
});

test('all succeed on an expired access token through 503, 503 and 200', async () => {
  const scene = await openExpiredScene();
  const { authorization, send } = scene;
  authorization.next(unavailable, unavailable);

  expect(endingsOf(await send(20))).toEqual(each(20, 200));
  expect(authorization.exchanges.map(({ status }) => status)).toEqual([503, 503, 200]);
  expect(lines(scene, 0)).toEqual({ [newest(scene)]: 20 });
});

test('all succeed on a revoked access token through 503, 503 and 200', async () => {
  const scene = await openScene();
  const { api, authorization, send } = scene;
  authorization.revokeAccessTokens();
  authorization.next({ ...unavailable, hold: 'request' }, unavailable);
  const sending = send(20);
  await Promise.all([api.requestArrived(20), authorization.requestArrived()]);

  authorization.release();

  expect(endingsOf(await sending)).toEqual(each(20, 200));
  expect(authorization.exchanges.map(({ status }) => status)).toEqual([503, 503, 200]);
  expect(lines(scene, 20)).toEqual({ [newest(scene)]: 20 });
});

test.each(ALL)('a caller of %s that aborts while all wait leaves at once and alone', async (client) => {
  const { api, authorization, sendBy, send } = await openExpiredScene();
  authorization.next({ hold: 'answer' });
  const staying = send(8);
  const controller = new AbortController();
  const leaving = sendBy(client, { signal: controller.signal });
  await authorization.requestArrived();

  controller.abort();

  // The exchange is still held.
  expect((await leaving).error).toBeDefined();
  expect(api.requests).toHaveLength(0);
  authorization.release();
  expect(endingsOf(await staying)).toEqual(each(8, 200));
  expect(authorization.exchanges).toHaveLength(1);
});

test.each(ALL)('a caller of %s that aborts while all hold a 401 leaves at once and alone', async (client) => {
  const { api, authorization, sendBy, send } = await openScene();
  authorization.revokeAccessTokens();
  authorization.next({ hold: 'answer' });
  const staying = send(8);
  const controller = new AbortController();
  const leaving = sendBy(client, { signal: controller.signal });
  await Promise.all([api.requestArrived(9), authorization.requestArrived()]);

  controller.abort();

  expect((await leaving).error).toBeDefined();
  authorization.release();
  expect(endingsOf(await staying)).toEqual(each(8, 200));
  expect(authorization.exchanges).toHaveLength(1);
  expect(api.requests).toHaveLength(17);
});
