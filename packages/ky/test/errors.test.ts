import { describe, expect, test } from '@jest/globals';
import { explain401 } from '@unexpired/core';
import { HTTPError, isHTTPError } from 'ky';
import { tokensIn } from '../../../test/canaries.ts';
import { rejectionOf, statuses } from '../../../test/world.ts';
import { openScene } from './scene.ts';

describe('an error shows no token', () => {
  test('although one that the caller set is shown', async () => {
    const scene = await openScene();
    const { api, client, first } = scene;
    api.always(401);

    const error = await rejectionOf(
      client.get('things', { headers: { Authorization: `Bearer ${first.access_token}` } }),
    );

    expect(tokensIn(scene, error)).toEqual([first.access_token]);
  });

  test.each([0, 2])('when it is of a 401, with %s retries', async (retry) => {
    const scene = await openScene({ ky: { retry } });
    scene.api.always(401);

    const error = await rejectionOf(scene.client.post('things', { json: { a: 1 } }));

    expect(statuses(scene.api)).toEqual([401, 401]);
    expect(error).toBeInstanceOf(HTTPError);
    expect(tokensIn(scene, error)).toEqual([]);
  });

  test.each([0, 2])('when it is of the network, with %s retries', async (limit) => {
    const scene = await openScene({ ky: { retry: { limit, delay: () => 0 } } });
    scene.api.always({ reset: 'request' });

    const error = await rejectionOf(scene.client.get('things'));

    expect(error).toMatchObject({ name: 'NetworkError' });
    expect(scene.api.requests).toHaveLength(limit + 1);
    expect(tokensIn(scene, error)).toEqual([]);
  });

  test('when it is of the time', async () => {
    const scene = await openScene({ ky: { retry: 0, timeout: 50 } });
    scene.api.always({ hold: 'request' });

    const error = await rejectionOf(scene.client.get('things'));

    expect(error).toMatchObject({ name: 'TimeoutError' });
    expect(tokensIn(scene, error)).toEqual([]);
    scene.api.release();
  });
});

describe('a 401 that stays', () => {
  test("is ky's ordinary HTTPError, and explained", async () => {
    const { api, client } = await openScene();
    api.always(401);

    const error = await rejectionOf(client.get('things'));

    expect(isHTTPError(error)).toBe(true);
    expect(error).toMatchObject({
      message: `Request failed with status code 401 Unauthorized: GET ${api.origin}/things`,
      data: { error: 'invalid_token' },
    });
    expect(explain401(error)).toMatchObject({ reason: 'refused-again' });
    expect(explain401((error as HTTPError).response)).toMatchObject({ reason: 'refused-again' });
  });

  test('is a response with `throwHttpErrors: false`, and explained', async () => {
    const { api, client } = await openScene();
    api.always(401);

    const response = await client.get('things', { throwHttpErrors: false });

    expect(statuses(api)).toEqual([401, 401]);
    expect(await response.json()).toEqual({ error: 'invalid_token' });
    expect(explain401(response)).toMatchObject({ reason: 'refused-again' });
  });

  test('is explained where the grant is dead', async () => {
    const { client, authorization, first } = await openScene();
    authorization.revokeAccessTokens();
    authorization.revokeGrant(first.refresh_token);

    const error = await rejectionOf(client.get('things'));

    expect(explain401(error)).toMatchObject({
      reason: 'refresh-failed',
      fresh: false,
      error: { code: 'ERR_REAUTHENTICATION_REQUIRED' },
    });
  });

  test('is explained after hooks that look at the response', async () => {
    const { api, client } = await openScene();
    api.always(401);
    const afterResponse = [({ response }: { response: Response }) => void response.status];

    const error = await rejectionOf(client.get('things', { hooks: { afterResponse } }));

    expect(explain401(error)).toMatchObject({ reason: 'refused-again' });
  });
});

test('a 401 that is replayed is not seen with `throwHttpErrors: false`', async () => {
  const { api, client, authorization } = await openScene();
  authorization.revokeAccessTokens();

  const response = await client.get('things', { throwHttpErrors: false });

  expect(response.status).toBe(200);
  expect(statuses(api)).toEqual([401, 200]);
});

test.each(['json', 'text', 'bytes'] as const)('the shortcut %s reads the replay', async (shortcut) => {
  const { api, client, authorization } = await openScene();
  authorization.revokeAccessTokens();
  api.next({}, { respond: { status: 200, body: { a: 1 } } });

  const read = await client.get('things')[shortcut]();

  expect(statuses(api)).toEqual([401, 200]);
  const expected = { json: { a: 1 }, text: '{"a":1}', bytes: new TextEncoder().encode('{"a":1}') };
  expect(read).toEqual(expected[shortcut]);
});

test('an error of the token source is thrown as it is, and not retried', async () => {
  const { api, client, tokens } = await openScene();
  await tokens.signOut();

  const error = await rejectionOf(client.get('things'));

  expect(error).toMatchObject({ name: 'AccessTokenError', code: 'ERR_REAUTHENTICATION_REQUIRED' });
  expect(api.requests).toHaveLength(0);
});
