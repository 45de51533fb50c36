import { describe, expect, test } from '@jest/globals';
import type { Authorization, TokenSource, TokenSourceResolver } from '@unexpired/core';
import {
  runAdapterSuite,
  type AdapterSuiteOptions,
  type BodyKind,
  type BodySupport,
  type SuiteClient,
} from '@unexpired/testing';

const KINDS: readonly BodyKind[] = [
  'string',
  'plain object',
  'bytes',
  'array buffer',
  'blob',
  'url search params',
  'form data',
  'form-data package',
  'node stream',
  'web stream',
  'async generator',
  'restartable iterable',
];

function bodiesWith(support: BodySupport): AdapterSuiteOptions['bodies'] {
  return Object.fromEntries(KINDS.map((kind) => [kind, support])) as AdapterSuiteOptions['bodies'];
}

/** The usual recipe: the token of the moment on every request, and the same request again after a 401. */
function naiveClient(tokens: TokenSource): SuiteClient {
  return async ({ url, method = 'GET', headers, body, signal }) => {
    const send = async (): Promise<Response> => {
      const authorization = `Bearer ${await tokens.getAccessToken()}`;
      const init = { method, headers: { ...headers, authorization }, body, signal, duplex: 'half' };
      return fetch(url, init as RequestInit);
    };
    try {
      let response = await send();
      if (response.status === 401) response = await send();
      const { status, headers: received } = response;
      return { status, headers: received, text: await response.text(), error: undefined, native: response };
    } catch (error) {
      return { status: undefined, headers: new Headers(), text: '', error, native: undefined };
    }
  };
}

/** Right for one user: what was authorized last is kept for the origin, as a module-level variable would. */
function createKeepingClients(): AdapterSuiteOptions['createClient'] {
  const kept = new Map<string, Authorization>();
  return (tokens: TokenSource | TokenSourceResolver): SuiteClient =>
    async ({ url, method = 'GET', unexpired: { account } = {} }) => {
      const { origin } = new URL(url);
      const chosen =
        typeof tokens === 'function' ? tokens({ url, method, account, native: undefined }) : tokens;
      const source = (await chosen)!;
      const send = (sent: Authorization): Promise<Response> => fetch(url, { method, headers: sent.headers });
      const sent = kept.get(origin) ?? (await source.authorize({ url, method }))!;
      kept.set(origin, sent);
      let response = await send(sent);
      const facts = { url, status: response.status, header: (name: string) => response.headers.get(name) };
      const again = response.ok
        ? undefined
        : await source.reauthorize(sent, facts, { replayable: () => true });
      if (again !== undefined) {
        kept.set(origin, again);
        response = await send(again);
        source.settled(again, response.status);
      }
      const { status, headers } = response;
      return { status, headers, text: await response.text(), error: undefined, native: undefined };
    };
}

/** The cases by name, and what was skipped. */
function collect(options: Partial<AdapterSuiteOptions> = {}): {
  readonly cases: Map<string, () => Promise<void>>;
  readonly skipped: string[];
} {
  const cases = new Map<string, () => Promise<void>>();
  const skipped: string[] = [];
  runAdapterSuite({
    test: Object.assign((name: string, run: () => Promise<void>) => cases.set(name, run), {
      skip: (name: string) => skipped.push(name),
    }),
    createClient: (tokens) => naiveClient(tokens as TokenSource),
    bodies: bodiesWith('not this client'),
    ...options,
  });
  return { cases, skipped };
}

test('every case has a name of its own', () => {
  const { cases, skipped } = collect({ bodies: bodiesWith(() => 'body') });

  expect(skipped).toEqual([]);
  expect(cases.size).toBeGreaterThan(60);
});

test('a case that is skipped states its reason', () => {
  const { cases, skipped } = collect({ skips: { 'a request that skips is left alone': 'it cannot' } });

  expect(skipped).toContain('a request that skips is left alone (it cannot)');
  expect(skipped).toContain('a body is replayed identically: blob (not this client)');
  expect(cases.has('a request that skips is left alone')).toBe(false);
});

test('a skip of a case that there is not is an error', () => {
  expect(() => collect({ skips: { 'no such case': 'reason' } })).toThrow(
    new TypeError("`skips` names a case that there is not: 'no such case'"),
  );
});

describe('a client with the usual recipe', () => {
  const { cases } = collect({
    bodies: { ...bodiesWith('not this client'), 'web stream': true, string: true },
  });

  test.each([
    'a fresh access token goes with the request, without an exchange',
    'callers with an expired access token share one exchange',
  ])('passes: %s', async (name) => {
    await cases.get(name)!();
  });

  test.each([
    'a refused access token is replaced and the request sent once more',
    'a request that asks for a longer lifetime waits for a new access token',
    'a caller that aborts while it waits leaves at once and alone',
    'a second 401 is handed on, explained',
    'another origin never sees the access token',
    'a 401 of another origin costs no exchange',
    "a caller's own Authorization stands",
    'a request that skips is left alone',
    'a wrong option of a request is a TypeError, and nothing is sent',
    'a fallback stands in for a refused grant until a sign-in',
    'a body is replayed identically: string',
    'a body is replayed identically: web stream',
    'a body over the limit is not replayed: web stream',
    'a factory makes the body of the replay, once: web stream',
  ])('fails: %s', async (name) => {
    await expect(cases.get(name)!()).rejects.toHaveProperty('code', 'ERR_ASSERTION');
  });
});

describe('a client that keeps an access token for each origin', () => {
  const { cases } = collect({ createClient: createKeepingClients() });

  test.each([
    'a fresh access token goes with the request, without an exchange',
    'a refused access token is replaced and the request sent once more',
    '1,000 requests on an access token revoked before its time cost one exchange',
  ])('passes: %s', async (name) => {
    await cases.get(name)!();
  });

  test.each([
    'a resolver chooses the source, and no request gets another account’s token',
    'a resolver reads the async context of the caller, also through a refresh and a replay',
    'requests of two users that cross at every step each carry their own access token',
    'clients of two sources in one process never mix their access tokens',
    'the dead grant of one user leaves the other, who is refreshed as before',
  ])('fails: %s', async (name) => {
    await expect(cases.get(name)!()).rejects.toHaveProperty('code', 'ERR_ASSERTION');
  });
});
