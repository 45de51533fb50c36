import { describe, expect, test } from '@jest/globals';
import { kyAuth } from '@unexpired/ky';
import ky, { type Options } from 'ky';
import { bodyOf, statuses, texts } from '../../../test/world.ts';
import { openScene, type Scene } from './scene.ts';

async function openRefusing(options: Parameters<typeof openScene>[0] = {}): Promise<Scene> {
  const scene = await openScene(options);
  scene.authorization.revokeAccessTokens();
  return scene;
}

function sealed(request: Request): Request {
  return new Request(request, { method: 'PUT', body: 'sealed', headers: { 'X-Sealed': 'yes' } });
}

describe('a body that a hook replaced', () => {
  test.each<[string, Options]>([
    ['string', { body: 'plain' }],
    ['json', { json: 'plain' }],
    ['stream', { body: new Blob(['plain']).stream() }],
    ['nothing', {}],
  ])('is replayed as it was sent: %s', async (_, options) => {
    const { api, client } = await openRefusing();

    await client.post('things', { ...options, hooks: { beforeRequest: [({ request }) => sealed(request)] } });

    const [first, second] = api.requests.map(bodyOf);
    expect(statuses(api)).toEqual([401, 200]);
    expect(first).toMatchObject({ complete: true, text: 'sealed' });
    expect(second).toMatchObject({ complete: true, text: 'sealed' });
    expect(api.requests[1]?.headers['x-sealed']).toBe('yes');
  });

  test('for the retry is replayed as the retry sent it', async () => {
    const { api, client } = await openScene();
    const refused = { respond: { status: 401, body: { error: 'invalid_token' } } };
    api.next(503, refused);

    await client.put('things', {
      body: 'plain',
      hooks: { beforeRetry: [({ request }) => sealed(request)] },
    });

    expect(statuses(api)).toEqual([503, 401, 200]);
    expect(texts(api)).toEqual(['plain', 'sealed', 'sealed']);
  });

  test('for a retry that was asked for is replayed as that sent it', async () => {
    const { api, client } = await openScene();
    const refused = { respond: { status: 401, body: { error: 'invalid_token' } } };
    api.next({ respond: { status: 202 } }, refused);

    await client.put('things', {
      body: 'plain',
      hooks: {
        afterResponse: [
          ({ response, request }) =>
            response.status === 202 ? ky.retry({ delay: 0, request: sealed(request) }) : undefined,
        ],
      },
    });

    expect(texts(api)).toEqual(['plain', 'sealed', 'sealed']);
  });
});

describe('a body that a fetch around ours replaced', () => {
  type Send = (request: Request, init?: unknown) => Promise<Response>;

  /** Options whose init hook wraps what ky sends with, as plug-ins that sign or compress do. */
  const sealing: Options = {
    hooks: {
      init: [
        (options) => {
          const inner = options.fetch as Send;
          const send: Send = async (request, init) => {
            const body = `sealed:${await request.text()}`;
            return inner(new Request(request, { method: 'POST', body }), init);
          };
          options.fetch = send as never;
        },
      ],
    },
  };

  test.each<[string, Options]>([
    ['string', { body: 'plain' }],
    ['json', { json: 'plain' }],
    ['stream', { body: new Blob(['plain']).stream() }],
  ])('is replayed as it was sent: %s', async (kind, options) => {
    const { api, client } = await openRefusing();

    await client.extend(sealing).post('things', options);

    const text = kind === 'json' ? 'sealed:"plain"' : 'sealed:plain';
    expect(statuses(api)).toEqual([401, 200]);
    expect(texts(api)).toEqual([text, text]);
  });

  test('is replayed as it was sent with another adapter around that', async () => {
    const { api, client } = await openRefusing();
    const other = await openScene();

    await client.extend(sealing).extend(kyAuth(other.tokens)).post('things', { body: 'plain' });

    expect(texts(api)).toEqual(['sealed:plain', 'sealed:plain']);
  });
});

test.each<[string, Options]>([
  ['string', { body: 'x'.repeat(200) }],
  ['json', { json: 'x'.repeat(198) }],
])('a body of any length is replayed through two adapters: %s', async (_, options) => {
  const limits = { replayBytes: 100 };
  const scene = await openRefusing({ source: { limits } });
  const other = await openRefusing({ source: { limits } });
  const client = scene.client.extend(kyAuth(other.tokens));

  await client.post('things', options);
  await client.post(other.api.origin, options);

  for (const { api } of [scene, other]) {
    expect(api.requests.map(({ status, length }) => [status, length])).toEqual([
      [401, 200],
      [200, 200],
    ]);
  }
});
