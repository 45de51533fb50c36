import { describe, expect, test } from '@jest/globals';
import { kyAuth } from '@unexpired/ky';
import ky from 'ky';
import { bearerTokens, rejectionOf } from '../../../test/world.ts';
import { openScene, type Scene } from './scene.ts';

describe('the access token stays at home', () => {
  test.each<[string, (scene: Scene) => string]>([
    ['an absolute URL', ({ elsewhere }) => `${elsewhere.origin}/things`],
    ['a protocol-relative URL', ({ elsewhere }) => `${elsewhere.origin.replace('http:', '')}/things`],
  ])('with `baseUrl` and %s', async (_, urlOf) => {
    const scene = await openScene();

    await scene.client.get(urlOf(scene));

    expect(bearerTokens(scene.elsewhere)).toEqual([undefined]);
    expect(scene.api.requests).toHaveLength(0);
  });

  test('with an absolute URL and no base', async () => {
    const { elsewhere, api, tokens, first } = await openScene();
    const client = ky.extend(kyAuth(tokens));

    await client.get(`${elsewhere.origin}/things`);
    await client.get(new URL('/things', api.origin));

    expect(bearerTokens(elsewhere)).toEqual([undefined]);
    expect(bearerTokens(api)).toEqual([first.access_token]);
  });

  test('with `prefix`, to which ky joins URLs of every kind', async () => {
    const { elsewhere, api, tokens, first } = await openScene();
    const client = ky.create({ prefix: `${api.origin}/v1` }).extend(kyAuth(tokens));

    await client.get(`${elsewhere.origin}/things`);
    await client.get(`${elsewhere.origin.replace('http:', '')}/things`);

    expect(api.requests.map(({ url }) => url.slice(0, 4))).toEqual(['/v1/', '/v1/']);
    expect(bearerTokens(api)).toEqual([first.access_token, first.access_token]);
    expect(elsewhere.requests).toHaveLength(0);
  });

  test('with `prefix` elsewhere and a Request that ky sends as it is', async () => {
    const { elsewhere, api, tokens, first } = await openScene();
    const client = ky.create({ prefix: elsewhere.origin }).extend(kyAuth(tokens));

    await client(new Request(`${api.origin}/things`));
    await client('things');

    expect(bearerTokens(api)).toEqual([first.access_token]);
    expect(bearerTokens(elsewhere)).toEqual([undefined]);
  });

  test.each(['before', 'after'])('when a hook registered %s ours moves the request', async (place) => {
    const { elsewhere, api, tokens } = await openScene();
    const moving = {
      hooks: {
        beforeRequest: [
          ({ request }: { request: Request }): Request => new Request(`${elsewhere.origin}/moved`, request),
        ],
      },
    };
    const base = ky.create({ baseUrl: api.origin });
    const client =
      place === 'before'
        ? base.extend(moving).extend(kyAuth(tokens))
        : base.extend(kyAuth(tokens)).extend(moving);

    await client.get('things');

    expect(bearerTokens(elsewhere)).toEqual([undefined]);
    expect(api.requests).toHaveLength(0);
  });

  test('when a hook moves the retry', async () => {
    const { elsewhere, api, client, first } = await openScene();
    api.next(503);

    await client.get('things', {
      hooks: { beforeRetry: [({ request }) => new Request(`${elsewhere.origin}/moved`, request)] },
    });

    expect(bearerTokens(api)).toEqual([first.access_token]);
    expect(bearerTokens(elsewhere)).toEqual([undefined]);
  });

  test('when a redirect leads elsewhere, whose 401 costs no refresh', async () => {
    const { elsewhere, api, client, authorization } = await openScene();
    api.always({ respond: { status: 307, headers: { Location: `${elsewhere.origin}/moved` } } });
    elsewhere.always(401);

    await rejectionOf(client.get('things'));

    expect(bearerTokens(elsewhere)).toEqual([undefined]);
    expect(authorization.exchanges).toHaveLength(0);
  });
});

test('a request that a hook moves to a listed origin carries the access token', async () => {
  const { elsewhere, api, tokens, first } = await openScene();
  const client = ky.create({ baseUrl: elsewhere.origin }).extend(kyAuth(tokens));

  await client.get('things', {
    hooks: { beforeRequest: [({ request }) => new Request(`${api.origin}/moved`, request)] },
  });

  expect(bearerTokens(api)).toEqual([first.access_token]);
});

describe('a fallback in a header of its own', () => {
  async function redirected(): Promise<Scene> {
    const scene = await openScene({
      source: { fallback: { header: 'X-Api-Key', value: 'static' } },
      ky: { retry: 0 },
    });
    await scene.tokens.signOut();
    const { api, elsewhere } = scene;
    api.always({ respond: { status: 302, headers: { Location: elsewhere.origin } } });
    return scene;
  }

  test('refuses redirects, which would take it along', async () => {
    const { api, elsewhere, client } = await redirected();

    expect(await rejectionOf(client.get('things'))).toMatchObject({ name: 'NetworkError' });
    expect(api.requests[0]?.headers['x-api-key']).toBe('static');
    expect(elsewhere.requests).toHaveLength(0);
  });

  test('leaves a redirect to the caller who said so', async () => {
    const { api, elsewhere, client } = await redirected();

    const response = await client.get('things', { redirect: 'manual', throwHttpErrors: false });

    expect(response.status).toBe(302);
    expect(api.requests[0]?.headers['x-api-key']).toBe('static');
    expect(elsewhere.requests).toHaveLength(0);
  });
});
