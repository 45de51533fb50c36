import { expect, test } from '@jest/globals';
import { createTokenSource } from '@unexpired/core';
import { undiciAuth } from '@unexpired/undici';
import { ProxyAgent, type Dispatcher } from 'undici';
import { afterwards } from '../../../test/world.ts';
import { openScene, sendBy, serve } from './scene.ts';

type Headers = NonNullable<Dispatcher.DispatchOptions['headers']>;

const own = { Accept: 'text/plain', 'X-Mine': 'kept' };
const nullPrototype: Headers = Object.assign(Object.create(null) as Record<string, string>, own);

const shapes: [string, () => Headers][] = [
  ['an object', () => ({ ...own })],
  ['an object without a prototype', () => nullPrototype],
  ['a frozen object', () => Object.freeze({ ...own })],
  ['an object with lists', () => ({ Accept: ['text/plain'], 'X-Mine': ['kept'] })],
  ['an object with undefined', () => ({ ...own, 'X-Other': undefined })],
  ['a list', () => Object.entries(own).flat()],
  ['a list of pairs', () => Object.entries(own)],
  ['a Map', () => new Map(Object.entries(own))],
  ['Headers', () => new Headers(own) as unknown as Headers],
  ['an iterable of pairs', () => ({ [Symbol.iterator]: () => Object.entries(own)[Symbol.iterator]() })],
  ['an iterator of pairs', () => new Map(Object.entries(own)).entries()],
];

test.each(shapes)('an access token goes with %s, twice', async (_, make) => {
  const { api, authorization, send } = await openScene();
  authorization.revokeAccessTokens();

  const { status } = await send('/', { headers: make() });

  expect(status).toBe(200);
  expect(api.requests).toHaveLength(2);
  for (const { headers, authorization: lines } of api.requests) {
    expect([headers.accept, headers['x-mine'], headers['x-other']]).toEqual([
      'text/plain',
      'kept',
      undefined,
    ]);
    expect(lines).toHaveLength(1);
  }
});

test.each([undefined, null, {}, [], new Map()])(
  'an access token goes with no headers: %p',
  async (headers) => {
    const { api, send, first } = await openScene();

    await send('/', { headers: headers as Headers });

    expect(api.requests[0]?.bearerToken).toBe(first.access_token);
  },
);

const written: [string, Headers][] = [
  ['an object', { AuthoriZation: 'Bearer mine' }],
  ['a list', ['AUTHORIZATION', 'Bearer mine']],
  ['a list of pairs', [['authorization', 'Bearer mine']]],
  ['a Map', new Map([['Authorization', 'Bearer mine']])],
];

test.each(written)("a caller's own Authorization in %s is replaced where it is to be", async (_, headers) => {
  const { api, send, first } = await openScene();

  await send('/', { headers, unexpired: { replaceAuthorization: true } });

  expect([...api.requests[0]!.authorization]).toEqual([`Bearer ${first.access_token}`]);
});

test.each(written.filter(([shape]) => shape !== 'a list of pairs'))(
  "a caller's own Authorization in %s stands",
  async (_, headers) => {
    const { api, send } = await openScene();

    await send('/', { headers });

    expect([...api.requests[0]!.authorization]).toEqual(['Bearer mine']);
  },
);

test('an iterator of headers goes to other origins as it is', async () => {
  const { elsewhere, dispatcher } = await openScene();
  const headers = new Map([['X-Mine', 'kept']]).entries();

  await sendBy(dispatcher, elsewhere.origin, { headers });

  expect(elsewhere.requests[0]?.headers['x-mine']).toBe('kept');
});

test('an Authorization that is set to nothing is the caller’s own', async () => {
  const { api, send } = await openScene();

  await send('/', { headers: { authorization: undefined } });

  expect([...api.requests[0]!.authorization]).toEqual([]);
});

test('nothing is written into what the caller gave', async () => {
  const { api, authorization, send } = await openScene();
  authorization.revokeAccessTokens();
  const headers = Object.freeze({ ...own });
  const options = Object.freeze({ headers, unexpired: Object.freeze({ minTtlMs: 1 }) });

  await send('/', options);

  expect(api.requests).toHaveLength(2);
  expect(headers).toEqual(own);
});

test('the header of a fallback takes the place of the caller’s, whatever its case', async () => {
  const { api, send, tokens } = await openScene({
    source: { fallback: { header: 'X-Api-Key', value: 'static' } },
  });
  await tokens.signOut();

  await send('/', { headers: { 'x-api-KEY': 'mine', Accept: 'text/plain' } });

  expect(api.requests[0]?.headers['x-api-key']).toBe('static');
  expect(api.requests[0]?.headers.accept).toBe('text/plain');
});

test('a body that is declared too long is not kept', async () => {
  const { api, authorization, send, events } = await openScene({ source: { limits: { replayBytes: 10 } } });
  authorization.revokeAccessTokens();
  async function* body(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(11);
  }

  const { status } = await send('/', {
    method: 'POST',
    body: body() as never,
    headers: ['Content-Length', '11'],
  });

  expect(status).toBe(401);
  expect(api.requests).toHaveLength(1);
  expect(events.some((event) => event.type === 'not-replayed' && event.reason === 'body-spent')).toBe(true);
});

const twice: [string, Headers][] = [
  ['a list', ['X-Mine', 'a', 'x-other', '', 'X-Mine', 'b']],
  ['a list with lists', ['X-Mine', ['a', 'b']] as unknown as Headers],
  ['a list with undefined', ['X-Mine', undefined, 'X-Mine', ['a', 'b']] as unknown as Headers],
  ['a list of pairs', Object.entries({ 'X-Mine': ['a', 'b'] }) as unknown as Headers],
  ['an iterable of pairs', new Set([['X-Mine', 'a'] as const, ['X-Mine', 'b'] as const]) as Headers],
];

test.each(twice)('a proxy is given a header that stands twice in %s', async (_, headers) => {
  const seen: unknown[] = [];
  const { origin } = await serve((message, response) => {
    seen.push(message.headersDistinct['x-mine'], message.headers.authorization);
    response.end();
  });
  const tokens = createTokenSource({
    origins: [origin],
    tokens: { access_token: 'first', expires_in: 3600 },
    refresh: () => ({ access_token: 'second' }),
  });
  afterwards(() => tokens.close());
  const proxy = new ProxyAgent({ uri: origin, proxyTunnel: false });
  afterwards(() => proxy.destroy());

  await sendBy(proxy.compose(undiciAuth(tokens)), origin, { headers });

  expect(seen).toEqual([['a', 'b'], 'Bearer first']);
});

test('what is no headers is left to undici, and not repeated in an error', async () => {
  const { api, send } = await openScene();
  const headers = 'authorization: Bearer mine' as unknown as Headers;

  await expect(send('/', { headers })).rejects.toThrow('headers must be an object or an array');
  expect(api.requests).toHaveLength(0);
});
