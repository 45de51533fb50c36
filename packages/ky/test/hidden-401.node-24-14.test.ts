import { expect, test } from '@jest/globals';
import { explain401 } from '@unexpired/core';
import { rejectionOf, statuses } from '../../../test/world.ts';
import { openScene } from './scene.ts';

// Node 24.14 rejects where a streamed body is answered 401; other versions give the response.
const hides401 = process.version === 'v24.14.0';

async function* chunks(): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode('one, ');
  yield new TextEncoder().encode('two');
}

test.each([0, 2])('the 401 to a streamed body is replayed, with %s retries', async (retry) => {
  const { api, client, authorization } = await openScene({ ky: { retry } });
  authorization.revokeAccessTokens();

  expect((await client.post('things', { body: chunks() as never })).status).toBe(200);
  expect(statuses(api)).toEqual([401, 200]);
  expect(api.requests[1]?.body.toString()).toBe('one, two');
});

test('the 401 to a streamed body that was not kept is explained, by the error or by its cause', async () => {
  const { api, client, authorization } = await openScene({ source: { limits: { replayBytes: 0 } } });
  authorization.revokeAccessTokens();

  const error = await rejectionOf(client.post('things', { body: chunks() as never }));

  expect(error.name).toBe(hides401 ? 'NetworkError' : 'HTTPError');
  expect(explain401(hides401 ? error.cause : error)).toMatchObject({ reason: 'body-spent' });
  expect(statuses(api)).toEqual([401]);
});
