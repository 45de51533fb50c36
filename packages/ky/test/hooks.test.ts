import { describe, expect, test } from '@jest/globals';
import { kyAuth } from '@unexpired/ky';
import type { Hooks, KyInstance } from 'ky';
import ky from 'ky';
import { bearerTokens, rejectionOf, reasonsOf, statuses } from '../../../test/world.ts';
import { openScene, type Scene } from './scene.ts';

/** Hooks that note when they run. */
function noting(name: string, log: string[]): Hooks {
  return {
    init: [() => void log.push(`${name} init`)],
    beforeRequest: [() => void log.push(`${name} beforeRequest`)],
    beforeRetry: [({ retryCount }) => void log.push(`${name} beforeRetry ${retryCount}`)],
    afterResponse: [({ response }) => void log.push(`${name} afterResponse ${response.status}`)],
    beforeError: [({ error }) => (log.push(`${name} beforeError`), error)],
  };
}

function withHooks({ tokens, api }: Scene, log: string[]): KyInstance {
  return ky
    .create({ baseUrl: api.origin, retry: { limit: 2, delay: () => 0 }, hooks: noting('before', log) })
    .extend(kyAuth(tokens))
    .extend({ hooks: noting('after', log) });
}

const both = (what: string): string[] => [`before ${what}`, `after ${what}`];

describe("the user's hooks, registered before and after ours,", () => {
  test('run once for a call that is replayed, and see one response', async () => {
    const scene = await openScene();
    const log: string[] = [];
    scene.authorization.revokeAccessTokens();

    await withHooks(scene, log).post('things', { json: { a: 1 } });

    expect(statuses(scene.api)).toEqual([401, 200]);
    expect(log).toEqual([...both('init'), ...both('beforeRequest'), ...both('afterResponse 200')]);
  });

  test('see the one 401 that stays', async () => {
    const scene = await openScene();
    const log: string[] = [];
    scene.api.always(401);

    await rejectionOf(withHooks(scene, log).get('things'));

    expect(statuses(scene.api)).toEqual([401, 401]);
    expect(log.slice(4)).toEqual([...both('afterResponse 401'), ...both('beforeError')]);
  });

  test("run for each of ky's own retries", async () => {
    const scene = await openScene();
    const log: string[] = [];
    scene.authorization.revokeAccessTokens();
    scene.api.next(503);

    await withHooks(scene, log).get('things');

    expect(statuses(scene.api)).toEqual([503, 401, 200]);
    expect(log.slice(4)).toEqual([
      ...both('afterResponse 503'),
      ...both('beforeRetry 1'),
      ...both('afterResponse 200'),
    ]);
  });

  test('never see the access token', async () => {
    const scene = await openScene({ ky: { retry: 0 } });
    const seen: unknown[] = [];
    const look = ({ request }: { request: Request }): void =>
      void seen.push(request.headers.get('authorization'));
    scene.api.next(503);

    await rejectionOf(
      scene.client.get('things', {
        hooks: {
          beforeRequest: [look],
          afterResponse: [look],
          beforeError: [(state) => (look(state), state.error)],
        },
      }),
    );

    expect(scene.api.requests[0]?.bearerToken).toBe(scene.first.access_token);
    expect(seen).toEqual([null, null, null]);
  });
});

test('a response that a hook gives is no business of ours', async () => {
  const { api, client, authorization } = await openScene();
  const response = new Response('mocked', { status: 401 });

  const answer = await client.get('things', {
    throwHttpErrors: false,
    hooks: { beforeRequest: [() => response] },
  });

  expect([answer.status, await answer.text()]).toEqual([401, 'mocked']);
  expect([api.requests, authorization.exchanges]).toEqual([[], []]);
});

describe("ky's own retry", () => {
  /** A 503, during which another access token comes. */
  async function rotation({ api, authorization, tokens, first }: Scene): Promise<unknown[]> {
    const next = await authorization.signIn();
    api.next(async () => {
      await tokens.signIn(next);
      return { status: 503 };
    });
    return [first.access_token, next.access_token];
  }

  test('carries the current access token', async () => {
    const scene = await openScene();
    const expected = await rotation(scene);

    await scene.client.get('things');

    expect(statuses(scene.api)).toEqual([503, 200]);
    expect(bearerTokens(scene.api)).toEqual(expected);
  });

  test.each(['before', 'after'])(
    'carries the current access token although a beforeRetry hook %s ours returns a Request',
    async (place) => {
      const scene = await openScene();
      const { api, tokens } = scene;
      const hooks: Hooks = { beforeRetry: [({ request }) => new Request(request, { cache: 'no-store' })] };
      const base = ky.create({ baseUrl: api.origin, retry: { limit: 2, delay: () => 0 } });
      const client =
        place === 'before'
          ? base.extend({ hooks }).extend(kyAuth(tokens))
          : base.extend(kyAuth(tokens)).extend({ hooks });
      const expected = await rotation(scene);

      await client.get('things');

      expect(statuses(api)).toEqual([503, 200]);
      expect(bearerTokens(api)).toEqual(expected);
    },
  );

  test('is not used up by a replay', async () => {
    const { api, client, authorization } = await openScene();
    authorization.revokeAccessTokens();
    const unavailable = 503;
    api.next({ respond: { status: 401, body: { error: 'invalid_token' } } }, unavailable, unavailable);

    await client.get('things');

    expect(statuses(api)).toEqual([401, 503, 503, 200]);
  });

  test('is not what replays: neither its limit nor its delay counts', async () => {
    const delays: number[] = [];
    const retry = { limit: 0, delay: (attempt: number) => (delays.push(attempt), 60_000) };
    const { api, client, authorization } = await openScene({ ky: { retry } });
    authorization.revokeAccessTokens();

    expect((await client.post('things', { body: 'text' })).status).toBe(200);
    expect(statuses(api)).toEqual([401, 200]);
    expect(delays).toEqual([]);
  });

  test('goes on where an afterResponse hook asks for it', async () => {
    const { api, client, authorization } = await openScene();
    authorization.revokeAccessTokens();
    api.next({ respond: { status: 202 } });

    await client.post('things', {
      body: 'text',
      hooks: {
        afterResponse: [({ response }) => (response.status === 202 ? ky.retry({ delay: 0 }) : undefined)],
      },
    });

    expect(statuses(api)).toEqual([202, 401, 200]);
    expect(api.requests.map(({ body }) => body.toString())).toEqual(['text', 'text', 'text']);
  });
});

describe('an adapter that is attached twice', () => {
  test('sends two requests after a 401, not four', async () => {
    const { api, client, tokens, authorization } = await openScene();
    authorization.revokeAccessTokens();

    await client.extend(kyAuth(tokens)).get('things');

    expect(statuses(api)).toEqual([401, 200]);
  });

  test('with another between stands aside for no header of ours', async () => {
    const { api, client, tokens, events } = await openScene();
    const other = await openScene();

    await client.extend(kyAuth(other.tokens)).extend(kyAuth(tokens)).get('things');

    expect(statuses(api)).toEqual([200]);
    expect(reasonsOf(events, 'request-not-authorized')).toEqual([]);
  });

  test('over two sources serves an origin each', async () => {
    const scene = await openScene();
    const other = await openScene();
    const client = scene.client.extend(kyAuth(other.tokens));
    scene.authorization.revokeAccessTokens();
    other.authorization.revokeAccessTokens();

    await client.get('things');
    await client.get(`${other.api.origin}/things`);

    expect(statuses(scene.api)).toEqual([401, 200]);
    expect(statuses(other.api)).toEqual([401, 200]);
  });
});

test('twenty parallel 401s cost one exchange and twenty replays', async () => {
  const { api, client, authorization } = await openScene();
  authorization.revokeAccessTokens();

  await Promise.all(Array.from({ length: 20 }, () => client.get('things')));

  for (const status of [401, 200]) {
    expect(statuses(api).filter((each) => each === status)).toHaveLength(20);
  }
  expect(authorization.exchanges).toHaveLength(1);
});
