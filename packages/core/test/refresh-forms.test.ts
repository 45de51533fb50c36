import { writeFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { AccessTokenError, createTokenSource, type RefreshFunction, type TokenSource } from '@unexpired/core';
import {
  createAuthorizationServer,
  createFakeClock,
  createResourceServer,
  faults,
  type AuthorizationServer,
  type FakeClock,
  type ResourceServer,
} from '@unexpired/testing';
import axios from 'axios';
import { API, errorOf, settled } from './scene.ts';

let server: AuthorizationServer;
let clock: FakeClock;
let backEnds: ResourceServer[] = [];

beforeEach(async () => {
  clock = createFakeClock();
  server = await createAuthorizationServer({ clock });
});

afterEach(async () => {
  await Promise.all([server, ...backEnds].map((each) => each.close()));
  backEnds = [];
});

async function openBackEnd(options: Parameters<typeof createResourceServer>[0]): Promise<ResourceServer> {
  const backEnd = await createResourceServer(options);
  backEnds.push(backEnd);
  return backEnd;
}

function open(refresh: RefreshFunction): TokenSource {
  return createTokenSource({ origins: [API], refresh, clock, random: () => 0 });
}

/** With a first generation that is expired. */
async function openExpired(refresh: RefreshFunction): Promise<TokenSource> {
  const source = open(refresh);
  await source.signIn(await server.signIn());
  await clock.advance(3_600_000);
  return source;
}

const form = (refreshToken: string | undefined): URLSearchParams =>
  new URLSearchParams({
    grant_type: 'refresh_token',
    refresh_token: refreshToken ?? '',
    client_id: 'cli',
  });

test('a back-end that keeps the refresh token behind a cookie', async () => {
  let session = (await server.signIn()).refresh_token;
  const backEnd = await openBackEnd({
    accepts: (_, { headers }) => headers.cookie === 'session=abc',
    respond: async () => {
      const response = await fetch(server.tokenEndpoint, { method: 'POST', body: form(session) });
      const { refresh_token: next, ...body } = (await response.json()) as { refresh_token: string };
      session = next;
      return { body };
    },
  });
  const source = open(() =>
    fetch(`${backEnd.origin}/auth/refresh`, { method: 'POST', headers: { cookie: 'session=abc' } }),
  );

  const first = await source.getAccessToken();
  await clock.advance(3_600_000);
  const second = await source.getAccessToken();

  expect([first, second].map((token) => server.isAccessTokenValid(token))).toEqual([false, true]);
  expect(backEnd.requests).toHaveLength(2);
});

test('a back-end whose cookie is over asks for a sign-in', async () => {
  const backEnd = await openBackEnd({ accepts: () => false });
  const source = open(() => fetch(`${backEnd.origin}/auth/refresh`, { method: 'POST' }));

  const error = await settled(clock, errorOf(source.getAccessToken()));

  // Its own 401 has no OAuth code that says why for good.
  expect(error['permanent']).toBe(false);
  expect(['ERR_REFRESH_REJECTED', 'ERR_REFRESH_FAILED']).toContain(error['code']);
});

test('axios.post, whose answer is returned as data', async () => {
  const source = await openExpired(async ({ refreshToken, signal }) => {
    const { data } = await axios.post<Record<string, unknown>>(server.tokenEndpoint, form(refreshToken), {
      signal,
    });
    return data;
  });

  expect(server.isAccessTokenValid(await source.getAccessToken())).toBe(true);
});

test.each([
  [faults.oauthError('invalid_grant'), 'ERR_REAUTHENTICATION_REQUIRED'],
  [faults.oauthError('account_suspended', { status: 403 }), 'ERR_ACCOUNT_DISABLED'],
  [faults.oauthError('invalid_client', { status: 401 }), 'ERR_MISCONFIGURED'],
  [faults.retryLater(429, { seconds: 60 }), 'ERR_REFRESH_FAILED'],
])('an AxiosError is judged by the response it carries (%#)', async (fault, code) => {
  const source = await openExpired(
    async ({ refreshToken }) =>
      (await axios.post<Record<string, unknown>>(server.tokenEndpoint, form(refreshToken))).data,
  );
  server.next(fault);

  const error = await settled(clock, errorOf(source.getAccessToken()));

  expect(error['code']).toBe(code);
  expect(server.exchanges).toHaveLength(1);
  if (code === 'ERR_REFRESH_FAILED') expect(error['retryAfterMs']).toBeGreaterThanOrEqual(60_000);
});

test('an AxiosError without a response is repeated, for nothing was sent', async () => {
  let attempts = 0;
  const source = await openExpired(async ({ refreshToken }) => {
    attempts += 1;
    const url = attempts < 3 ? 'http://127.0.0.1:1/token' : server.tokenEndpoint;
    return (await axios.post<Record<string, unknown>>(url, form(refreshToken))).data;
  });

  expect(server.isAccessTokenValid(await settled(clock, source.getAccessToken()))).toBe(true);
  expect(attempts).toBe(3);
});

test('client credentials', async () => {
  const seen: unknown[] = [];
  const source = open(({ refreshToken, tokens }) => {
    seen.push(refreshToken, tokens?.refresh_token);
    return fetch(server.tokenEndpoint, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'client_credentials', client_id: 'service', scope: 'read' }),
    });
  });

  for (let generation = 0; generation < 3; generation += 1) {
    expect(server.isAccessTokenValid(await source.getAccessToken())).toBe(true);
    await clock.advance(3_600_000);
  }
  expect(server.exchanges).toHaveLength(3);
  expect(seen.every((value) => value === undefined)).toBe(true);
  expect(source.status().generation).toBe(3);
});

test('a token file that another program keeps fresh', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'unexpired-'));
  const path = join(folder, 'token.json');
  const put = (token: string): Promise<void> =>
    writeFile(path, JSON.stringify({ access_token: token, expires_at: clock.now() / 1000 + 600 }));
  const source = open(async () => JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>);

  await put('from-file-1');
  expect(await source.getAccessToken()).toBe('from-file-1');
  await clock.advance(600_000);
  await put('from-file-2');
  expect(await source.getAccessToken()).toBe('from-file-2');

  await rm(folder, { recursive: true });
  await clock.advance(600_000);
  expect(await settled(clock, errorOf(source.getAccessToken()))).toMatchObject({
    code: 'ERR_REFRESH_FAILED',
  });
});

test.each([
  ['an Error', () => new Error('broken')],
  ['a string', () => 'broken'],
  ['undefined', () => undefined],
  ['null', () => null],
  ['a frozen object', () => Object.freeze({ message: 'broken' })],
])('a function that throws %s', async (_, thrown) => {
  let calls = 0;
  const source = await openExpired(() => {
    calls += 1;
    throw thrown();
  });

  const error = await settled(clock, errorOf(source.getAccessToken()));

  expect(error).toMatchObject({ name: 'AccessTokenError', code: 'ERR_REFRESH_FAILED' });
  expect(calls).toBe(3);
});

test.each([
  ['nothing', undefined],
  ['null', null],
  ['a string', 'token'],
  ['an empty object', {}],
  ['an empty access token', { access_token: '' }],
  ['an access token that is no string', { access_token: 5 }],
])('a function that returns %s', async (_, value) => {
  const source = await openExpired(() => value as never);

  const error = await settled(clock, errorOf(source.getAccessToken()));

  expect(error).toMatchObject({ name: 'AccessTokenError', code: 'ERR_REFRESH_FAILED' });
});

test('an AccessTokenError that says when to try again is waited for', async () => {
  const source = await openExpired(() => {
    throw new AccessTokenError('ERR_REFRESH_FAILED', 'The quota is used up.', { retryAfterMs: 90_000 });
  });

  const error = await settled(clock, errorOf(source.getAccessToken()));

  expect(error['retryAfterMs']).toBeGreaterThanOrEqual(90_000);
  expect(error.message).toContain('The quota is used up.');
});

test('a body over 1 MiB is not read to its end', async () => {
  let read = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      read += 1;
      controller.enqueue(new Uint8Array(256 * 1024).fill(32));
    },
  });
  const source = await openExpired(({ attempt }) =>
    attempt === 1 ? new Response(endless) : new Response('{}', { status: 400 }),
  );

  await settled(clock, errorOf(source.getAccessToken()));

  expect(read).toBeLessThan(8);
});

test.each([
  [
    '200 with an error member',
    faults.oauthError('invalid_grant', { status: 200 }),
    'ERR_REAUTHENTICATION_REQUIRED',
  ],
  ['a nested code', faults.oauthError('account_deactivated', { nested: true }), 'ERR_ACCOUNT_DISABLED'],
  ['truncated JSON', faults.truncatedJson, undefined],
  ['malformed JSON', faults.malformedJson, undefined],
  ['a page of HTML', faults.badGateway, undefined],
  ['an answer without an access token', faults.without('access_token'), 'ERR_REFRESH_FAILED'],
] as const)('an answer with %s', async (_, fault, code) => {
  await server.close();
  server = await createAuthorizationServer({ clock, rotation: 'non-rotating' });
  const source = await openExpired(({ refreshToken }) =>
    fetch(server.tokenEndpoint, { method: 'POST', body: form(refreshToken) }),
  );
  server.next(fault);

  const taken = await settled(
    clock,
    source.getAccessToken().then(
      () => undefined,
      (error: AccessTokenError) => error.code,
    ),
  );

  expect(taken).toBe(code);
});

test('extra members of a response are handed to the next call of the function', async () => {
  const seen: unknown[] = [];
  const source = await openExpired(({ tokens, refreshToken }) => {
    seen.push(tokens?.['account_id']);
    return { access_token: 'a', refresh_token: refreshToken!, account_id: 'acct-1', expires_in: 60 };
  });
  await source.getAccessToken();
  await clock.advance(60_000);
  await source.getAccessToken();

  expect(seen).toEqual([undefined, 'acct-1']);
});
