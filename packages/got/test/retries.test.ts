import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { explain401 } from '@unexpired/core';
import type { Request, Response } from 'got';
import { reasonsOf, statuses } from '../../../test/world.ts';
import { errorOf, openScene, type Scene } from './scene.ts';

const sent = ({ api }: Scene): string[] =>
  api.requests.map(({ method, url, status, body }) => `${method} ${url} ${status} ${body.toString()}`);

type Retry = (options: object) => never;

/** A job is made, and then claimed; meanwhile the access token was revoked. */
async function openJobs(preserveHooks: boolean, claim: object): Promise<Scene> {
  const afterResponse = (response: Response, retry: Retry): Response =>
    response.statusCode === 202 ? retry({ ...claim, preserveHooks }) : response;
  const scene = await openScene({ after: { hooks: { afterResponse: [afterResponse as never] } } });
  const { api, authorization } = scene;
  api.next(() => {
    authorization.revokeAccessTokens();
    return { status: 202 };
  });
  return scene;
}

test.each([true, false])(
  'what a hook sent after a response is replayed, and not the request before it (preserveHooks: %p)',
  async (preserveHooks) => {
    const scene = await openJobs(preserveHooks, { headers: { step: '2' }, json: { id: 1 } });

    await scene.client.post(`${scene.api.origin}/jobs`);

    expect(sent(scene)).toEqual(['POST /jobs 202 ', 'POST /jobs 401 {"id":1}', 'POST /jobs 200 {"id":1}']);
  },
);

test('another URL and method of a hook are those of the replay', async () => {
  let url = '';
  const claim = { method: 'PUT', get url() { return url; } }; // prettier-ignore
  const scene = await openJobs(true, claim);
  url = `${scene.api.origin}/jobs/1`;

  await scene.client.post(`${scene.api.origin}/jobs`, { body: 'x' });

  expect(sent(scene)).toEqual(['POST /jobs 202 x', 'PUT /jobs/1 401 x', 'PUT /jobs/1 200 x']);
});

const soon = { limit: 1, noise: 0, backoffLimit: 1 };
const factory = { context: { unexpired: { body: () => 'first' } } };
const inits: [string, object][] = [
  ['a body', { body: 'first' }],
  ['a factory', { body: 'first', ...factory }],
];

test.each(inits)('the body that a retry put in the place of %s is replayed', async (_, init) => {
  const scene = await openScene();
  scene.api.next(503, 401);
  const beforeRetry = (error: { options: { body?: unknown } }, count: number): void => {
    if (count === 1) error.options.body = 'second';
  };

  await scene.client.put(scene.api.origin, { ...init, retry: soon, hooks: { beforeRetry: [beforeRetry] } });

  expect(sent(scene)).toEqual(['PUT / 503 first', 'PUT / 401 second', 'PUT / 200 second']);
});

test('a stream that a retry put in is sent once', async () => {
  const scene = await openScene();
  scene.api.next(503, 401);
  const beforeRetry = (error: { options: { body?: unknown } }): void => {
    error.options.body = Readable.from(['second']);
  };
  const init = { body: Readable.from(['first']), retry: soon, hooks: { beforeRetry: [beforeRetry] } };

  const error = await errorOf(scene.client.put(scene.api.origin, init));

  expect(explain401(error)?.reason).toBe('body-spent');
  expect(sent(scene)).toEqual(['PUT / 503 first', 'PUT / 401 second']);
});

test('a stream that is retried by its event is not sent again after a 401, and says why', async () => {
  const { client, api, events, authorization } = await openScene();
  api.next(503, 401);

  const error = await new Promise((resolve) => {
    const follow = (stream: Request): void => {
      stream.once('retry', (_count, _error, again: () => Request) => follow(again()));
      stream.once('error', resolve);
      stream.resume();
    };
    follow(client.stream(api.origin, { retry: soon }));
  });

  expect(statuses(api)).toEqual([503, 401]);
  expect(reasonsOf(events, 'not-replayed')).toEqual(['body-spent']);
  expect(explain401(error)?.reason).toBe('body-spent');
  await client(api.origin);
  expect(authorization.exchanges).toHaveLength(1);
});
