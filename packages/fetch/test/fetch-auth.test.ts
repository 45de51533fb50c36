import { beforeEach, describe, expect, test } from '@jest/globals';
import { fetchAuth } from '@unexpired/fetch';
import { openWorld, statuses, type World } from '../../../test/world.ts';

let scene: World;

beforeEach(async () => {
  scene = await openWorld();
});

/** A fetch that notes its arguments. */
function spy(): { calls: [input: unknown, init: RequestInit | undefined][]; fetch: typeof fetch } {
  const calls: [input: unknown, init: RequestInit | undefined][] = [];
  return {
    calls,
    fetch(input: string | URL | Request, init?: RequestInit) {
      calls.push([input, init]);
      return fetch(input, init);
    },
  };
}

describe('what it is given', () => {
  test('takes a string, a URL and a Request', async () => {
    const { api, tokens, first } = scene;
    const authFetch = fetchAuth(tokens);

    await authFetch(`${api.origin}/string`);
    await authFetch(new URL('/url', api.origin));
    await authFetch(new Request(`${api.origin}/request`, { headers: { 'X-Mine': 'kept' } }));

    expect(api.requests.map(({ url, bearerToken }) => [url, bearerToken])).toEqual([
      ['/string', first.access_token],
      ['/url', first.access_token],
      ['/request', first.access_token],
    ]);
    expect(api.requests[2]?.headers['x-mine']).toBe('kept');
  });

  test('takes a Request in the place of init', async () => {
    const { api, tokens, authorization } = scene;
    authorization.revokeAccessTokens();
    const like = new Request('http://unused.invalid', {
      method: 'POST',
      body: 'text',
      headers: { 'X-Mine': 'kept' },
    });

    await fetchAuth(tokens)(`${api.origin}/target`, like);

    expect(statuses(api)).toEqual([401, 200]);
    const second = api.requests[1]!;
    expect([second.method, second.url, second.body.toString()]).toEqual(['POST', '/target', 'text']);
    expect(second.headers['x-mine']).toBe('kept');
  });

  test('gives what it was given on where the request is not ours', async () => {
    const { elsewhere, tokens } = scene;
    const { calls, fetch: inner } = spy();
    const authFetch = fetchAuth(tokens, { fetch: inner });
    const init = { method: 'POST', headers: { accept: 'text/plain' }, body: 'text' };
    const request = new Request(elsewhere.origin, { method: 'POST', body: 'text' });

    await authFetch(elsewhere.origin, init);
    await authFetch(request);
    await fetchAuth(() => undefined, { fetch: inner })(elsewhere.origin, init);

    expect(calls[0]?.[1]).toEqual(init);
    expect(calls[1]?.[0]).toBe(request);
    expect(calls[1]?.[1]).toEqual({});
    expect(calls[2]?.[1]).toEqual(init);
  });

  test('writes into nothing that it was given', async () => {
    const { api, tokens, authorization } = scene;
    authorization.revokeAccessTokens();
    const headers = Object.freeze({ accept: 'text/plain' });
    const shared = new Headers(headers);
    const init = Object.freeze({ headers, unexpired: Object.freeze({ minTtlMs: 1 }) });
    const request = new Request(api.origin, { headers });

    await fetchAuth(tokens)(api.origin, init);
    await fetchAuth(tokens)(api.origin, { headers: shared });
    await fetchAuth(tokens)(request);

    expect(shared.has('authorization')).toBe(false);
    expect(request.headers.has('authorization')).toBe(false);
    expect(api.requests.every(({ headers: { accept } }) => accept === 'text/plain')).toBe(true);
  });

  test('keeps its key from the inner fetch', async () => {
    const { api, elsewhere, tokens } = scene;
    const { calls, fetch: inner } = spy();
    const authFetch = fetchAuth(tokens, { fetch: inner });

    await authFetch(api.origin, { method: 'PUT', unexpired: { minTtlMs: 1 } });
    await authFetch(elsewhere.origin, { method: 'PUT', unexpired: { skip: true } });

    expect(calls.map(([, init]) => Object.keys(init ?? {}))).toEqual([['method', 'headers'], ['method']]);
  });

  test("leaves alone an Authorization of the caller's, in init or in a Request", async () => {
    const { api, tokens, authorization } = scene;
    const headers = { AUTHORIZATION: 'Bearer mine' };

    await fetchAuth(tokens)(api.origin, { headers });
    await fetchAuth(tokens)(new Request(api.origin, { headers }));

    expect(api.requests.map((request) => [...request.authorization])).toEqual([
      ['Bearer mine'],
      ['Bearer mine'],
    ]);
    expect(authorization.exchanges).toHaveLength(0);
  });

  test('reads a relative URL as the page would', async () => {
    const { api, elsewhere, tokens, first } = scene;
    const page = { href: `${api.origin}/folder/page.html` };
    Object.defineProperty(globalThis, 'location', { value: page, configurable: true });
    try {
      const authFetch = fetchAuth(tokens, {
        fetch: (input: string | URL | Request, init) => fetch(new URL(input as string, page.href), init),
      });

      await authFetch('things');
      await authFetch(elsewhere.origin.replace('http:', ''));
    } finally {
      delete (globalThis as { location?: unknown }).location;
    }

    expect(api.requests.map(({ url, bearerToken }) => [url, bearerToken])).toEqual([
      ['/folder/things', first.access_token],
    ]);
    expect(elsewhere.requests[0]?.bearerToken).toBeUndefined();
  });

  test('tells the resolver the arguments', async () => {
    const { api, tokens } = scene;
    const seen: unknown[] = [];
    const authFetch = fetchAuth((request) => {
      seen.push(request);
      return tokens;
    });
    const input = new URL(api.origin);

    await authFetch(input, { method: 'DELETE', unexpired: { account: 'ann' } });

    expect(seen).toEqual([
      { url: input.href, method: 'DELETE', account: 'ann', native: { input, init: { method: 'DELETE' } } },
    ]);
  });
});

describe('what it answers', () => {
  test('gives the response of the inner fetch, untouched', async () => {
    const { api, tokens } = scene;
    const responses: Response[] = [];
    const inner = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
      const response = await fetch(input, init);
      responses.push(response);
      return response;
    };

    expect(await fetchAuth(tokens, { fetch: inner })(api.origin)).toBe(responses[0]);
  });

  test("rejects with the inner fetch's own error", async () => {
    const failure = new Error('no network');
    const authFetch = fetchAuth(scene.tokens, { fetch: () => Promise.reject(failure) });

    await expect(authFetch(scene.api.origin)).rejects.toBe(failure);
  });

  test.each([undefined, null, 'text', {}])('rejects with whatever was thrown: %p', async (failure) => {
    const authFetch = fetchAuth(scene.tokens, { fetch: () => Promise.reject(failure) });

    await expect(authFetch(scene.api.origin)).rejects.toBe(failure);
  });

  test('twenty parallel 401s cost one exchange and twenty replays', async () => {
    const { api, tokens, authorization } = scene;
    authorization.revokeAccessTokens();

    await Promise.all(Array.from({ length: 20 }, () => fetchAuth(tokens)(api.origin)));

    for (const status of [401, 200]) {
      expect(statuses(api).filter((each) => each === status)).toHaveLength(20);
    }
    expect(authorization.exchanges).toHaveLength(1);
  });

  test('does not wait for the rest of a 401 that it discards', async () => {
    const { api, tokens } = scene;
    api.next({ hold: 'body', respond: { status: 401, body: { error: 'invalid_token' } } });

    const response = await fetchAuth(tokens)(api.origin);

    expect(response.status).toBe(200);
    expect(api.held).toBe(1);
    api.release();
  });

  test('discarded 401s give their connections back', async () => {
    const { api, tokens } = scene;
    const authFetch = fetchAuth(tokens);
    for (let round = 0; round < 20; round += 1) {
      api.next({ respond: { status: 401, body: 'x'.repeat(70_000) } });
      await (await authFetch(api.origin)).text();
      await tokens.signIn(await scene.authorization.signIn());
    }

    expect(api.connections).toBeLessThanOrEqual(5);
  });
});

describe('signals', () => {
  async function held(): Promise<void> {
    const { authorization } = scene;
    authorization.revokeAccessTokens();
    authorization.next({ hold: 'answer' });
  }

  test.each(['init', 'Request'])(
    'an abort by the signal of %s rejects with its reason at once',
    async (place) => {
      const { api, tokens, authorization } = scene;
      await held();
      const controller = new AbortController();
      const reason = new Error('enough');
      const { signal } = controller;
      const authFetch = fetchAuth(tokens);
      const sent =
        place === 'init' ? authFetch(api.origin, { signal }) : authFetch(new Request(api.origin, { signal }));
      await authorization.requestArrived();

      controller.abort(reason);

      await expect(sent).rejects.toBe(reason);
      expect(authorization.held).toBe(1);
      authorization.release();
    },
  );

  test('a signal that is null in init takes that of the Request away', async () => {
    const { api, tokens, authorization } = scene;
    await held();
    const controller = new AbortController();
    const sent = fetchAuth(tokens)(new Request(api.origin, { signal: controller.signal }), { signal: null });
    await authorization.requestArrived();
    controller.abort();

    authorization.release();

    expect((await sent).status).toBe(200);
  });
});

describe('a fallback in a header of its own', () => {
  async function signedOut(): Promise<World> {
    scene = await openWorld({ source: { fallback: { header: 'X-Api-Key', value: 'static' } } });
    await scene.tokens.signOut();
    scene.api.always({ respond: { status: 302, headers: { Location: scene.elsewhere.origin } } });
    return scene;
  }

  test('refuses redirects', async () => {
    const { api, elsewhere, tokens } = await signedOut();

    await expect(fetchAuth(tokens)(api.origin)).rejects.toThrow('fetch failed');
    expect(api.requests[0]?.headers['x-api-key']).toBe('static');
    expect(elsewhere.requests).toHaveLength(0);
  });

  test.each(['init', 'Request'])('leaves a redirect to the caller who said so in %s', async (place) => {
    const { api, tokens } = await signedOut();
    const redirect = 'manual';
    const authFetch = fetchAuth(tokens);

    const response =
      place === 'init'
        ? authFetch(api.origin, { redirect })
        : authFetch(new Request(api.origin, { redirect }));

    expect((await response).status).toBe(302);
  });
});

describe('wrong options', () => {
  const { tokens } = { tokens: { authorize: () => undefined } as never };

  test.each([
    [
      '`tokens` must be a token source or a function that resolves one, got undefined',
      () => fetchAuth(undefined as never),
    ],
    [
      '`tokens` must be a token source or a function that resolves one, got an object',
      () => fetchAuth({} as never),
    ],
    ['`options` must be an object, got null', () => fetchAuth(tokens, null as never)],
    ['`fetch` must be a function, got 5', () => fetchAuth(tokens, { fetch: 5 as never })],
    [
      '`replaceAuthorization` must be true or false, got a string',
      () => fetchAuth(tokens, { replaceAuthorization: 'yes' as never }),
    ],
    [
      '`fetsch` is not an option; there are: replaceAuthorization, fetch',
      () => fetchAuth(tokens, { fetsch: fetch } as never),
    ],
  ])('says: %s', (message, create) => {
    expect(create).toThrow(new TypeError(message));
  });

  test.each([
    ['`unexpired` must be an object, got 5', 5],
    ['`unexpired.skip` must be true or false, got 1', { skip: 1 }],
    ['`unexpired.body` must be a function, got a string', { body: 'text' }],
    ['`unexpired.account` must be a string that is not empty, got an empty string', { account: '' }],
    ['`unexpired.minTtlMs` must be a number of milliseconds from 0 to 2147483647, got -1', { minTtlMs: -1 }],
    ['`unexpired.replaceAuthorization` must be true or false, got a string', { replaceAuthorization: 'no' }],
    [
      '`unexpired.account` needs an adapter with a resolver, got one with a single token source',
      { account: 'ann' },
    ],
    [
      '`unexpired.skp` is not an option; there are: skip, body, account, minTtlMs, replaceAuthorization',
      { skp: true },
    ],
  ])('says of a request: %s', async (message, unexpired) => {
    const sent = fetchAuth(scene.tokens)(scene.api.origin, { unexpired: unexpired as never });

    await expect(sent).rejects.toThrow(new TypeError(message));
    expect(scene.api.requests).toHaveLength(0);
  });
});
