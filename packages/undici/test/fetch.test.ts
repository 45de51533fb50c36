import { expect, test } from '@jest/globals';
import { undiciAuth } from '@unexpired/undici';
import { Dispatcher1Wrapper, fetch as fetch8, FormData, type Agent } from 'undici';
import { fetch as fetch7 } from 'undici-7';
import { bodyOf, openWorld, statuses } from '../../../test/world.ts';
import { openAgent, openAgent7 } from './scene.ts';

type Fetch = (url: string, init: object) => Promise<{ status: number; text(): Promise<string> }>;

const nodeFetch = fetch as Fetch;
const [major = 0] = process.versions['undici']!.split('.').map(Number);

const pairs: [string, Fetch, () => Agent][] = [
  ['the fetch of undici 8', fetch8 as Fetch, openAgent],
  ['the fetch of undici 7', fetch7 as Fetch, openAgent7],
  ["Node's own fetch, over a dispatcher of its version", nodeFetch, major < 8 ? openAgent7 : openAgent],
];

async function* generate(): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode('text');
}

test.each(pairs)('%s sends again what was refused', async (_, send, open) => {
  const { api, tokens, authorization } = await openWorld();
  const dispatcher = open().compose(undiciAuth(tokens));
  for (const body of [undefined, 'text', new Blob(['text']), new URLSearchParams({ a: '1' }), generate()]) {
    authorization.revokeAccessTokens();
    const method = body === undefined ? 'GET' : 'POST';

    const response = await send(api.origin, { method, body, dispatcher, duplex: 'half' });

    expect(response.status).toBe(200);
    await response.text();
    const [first, second] = api.requests.slice(-2).map(bodyOf);
    expect(second).toEqual(first);
  }
  expect(statuses(api)).toEqual(Array.from({ length: 10 }, (__, index) => (index % 2 ? 200 : 401)));
});

test('a form is sent again with its boundary', async () => {
  const { api, tokens, authorization } = await openWorld();
  authorization.revokeAccessTokens();
  const dispatcher = openAgent().compose(undiciAuth(tokens));
  const body = new FormData();
  body.append('title', 'text');

  await fetch8(api.origin, { method: 'POST', body, dispatcher });

  const [first, second] = api.requests.map(bodyOf);
  expect(second).toEqual(first);
});

test.each(pairs)(
  'a redirect that %s follows takes the access token to listed origins only',
  async (_, send, open) => {
    const { api, elsewhere, tokens, first } = await openWorld();
    api.next({ respond: { status: 302, headers: { Location: elsewhere.origin } } });

    const response = await send(api.origin, { dispatcher: open().compose(undiciAuth(tokens)) });

    expect(response.status).toBe(200);
    expect(api.requests[0]?.bearerToken).toBe(first.access_token);
    expect(elsewhere.requests[0]?.bearerToken).toBeUndefined();
  },
);

test.each(pairs)(
  '%s is told at once of an abort while an access token is waited for',
  async (_, send, open) => {
    const { api, tokens, authorization } = await openWorld();
    authorization.revokeAccessTokens();
    authorization.next({ hold: 'answer' });
    const controller = new AbortController();
    const dispatcher = open().compose(undiciAuth(tokens));
    const sent = send(api.origin, { dispatcher, signal: controller.signal });
    await authorization.requestArrived();

    controller.abort();

    await expect(sent).rejects.toThrow(/abort/);
    authorization.release();
  },
);

test('an older fetch over a newer dispatcher is told what to do', async () => {
  const { api, tokens } = await openWorld();
  const dispatcher = openAgent().compose(undiciAuth(tokens));

  const sent = (fetch7 as Fetch)(api.origin, { dispatcher });

  await expect(sent).rejects.toMatchObject({
    cause: { message: expect.stringContaining('Dispatcher1Wrapper') },
  });
  expect(api.requests).toHaveLength(0);

  const wrapped = new Dispatcher1Wrapper(dispatcher);
  expect((await (fetch7 as Fetch)(api.origin, { dispatcher: wrapped })).status).toBe(200);
});
