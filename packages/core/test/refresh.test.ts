import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createFakeClock } from '@unexpired/testing';
import axios from 'axios';
import { AccessTokenError } from '../src/errors.ts';
import { errorOf, type Failure } from '../src/failure.ts';
import { callRefresh, type Outcome, type RefreshFunction, type RefreshRequest } from '../src/refresh.ts';

const clock = createFakeClock();
const SENT_AT = { wall: clock.now(), mono: clock.monotonic() };
const TOKENS = { access_token: 'a2', refresh_token: 'r2', expires_in: 60, tenant: 't' };

const request: RefreshRequest = {
  refreshToken: 'canary-refresh-token',
  tokens: { refresh_token: 'canary-refresh-token' },
  signal: new AbortController().signal,
  attempt: 1,
};

const call = (refresh: unknown): Promise<Outcome> =>
  callRefresh(refresh as RefreshFunction, request, { codes: { gone: 'revoked' }, clock });

async function failureOf(refresh: unknown): Promise<Failure> {
  const outcome = await call(refresh);
  if ('failure' in outcome) return outcome.failure;
  throw new Error('it brought tokens');
}

const throwing = (error: unknown) => (): never => {
  throw error;
};

function json(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers });
}

/** A Response whose body comes in these pieces, or breaks off after them. */
function streamed(pieces: readonly string[], { status = 200, breaks = false } = {}): Response {
  const chunks = pieces.map((piece) => new TextEncoder().encode(piece));
  return new Response(
    new ReadableStream({
      pull(controller) {
        const chunk = chunks.shift();
        if (chunk !== undefined) controller.enqueue(chunk);
        else if (breaks) controller.error(new TypeError('terminated'));
        else controller.close();
      },
    }),
    { status },
  );
}

describe('tokens come', () => {
  test.each([
    ['as a token response', () => TOKENS],
    ['later', async () => TOKENS],
    ['as a Response', () => json(TOKENS)],
    ['as a Response of another 2xx', () => json(TOKENS, 201)],
    ['as a Response without a content type', () => new Response(JSON.stringify(TOKENS))],
    ['as text', () => JSON.stringify(TOKENS)],
    [
      'in pieces',
      () => streamed(['{"access_token":"a2","refresh_token":"r2",', '"expires_in":60,"tenant":"t"}']),
    ],
    [
      'as a response of another library, whose body is no web stream',
      () => ({
        status: 200,
        headers: new Headers(),
        body: { pipe() {} },
        text: async () => JSON.stringify(TOKENS),
      }),
    ],
    [
      'in the response of an error',
      throwing(Object.assign(new Error('bad'), { response: { status: 200, data: TOKENS } })),
    ],
  ])('%s', async (_, refresh) => {
    expect(await call(refresh)).toEqual({ response: TOKENS, sentAt: SENT_AT });
  });

  test('with a character that two pieces share', async () => {
    const bytes = Buffer.from(JSON.stringify({ access_token: 'a', name: 'é' }));
    const cut = bytes.indexOf(0xc3) + 1;
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new Uint8Array(bytes.subarray(0, cut)));
        controller.enqueue(new Uint8Array(bytes.subarray(cut)));
        controller.close();
      },
    });

    expect(await call(() => new Response(body))).toMatchObject({ response: { name: 'é' } });
  });

  test('beside members that say that nothing is wrong', async () => {
    for (const more of [{ ok: true }, { error: null }, { error: '' }, { error: undefined }]) {
      expect(await call(() => ({ ...TOKENS, ...more }))).toHaveProperty('response');
    }
  });

  test('with the moment at which the function was called', async () => {
    const moving = createFakeClock();
    const began = { wall: moving.now(), mono: moving.monotonic() };
    const slow = async (): Promise<typeof TOKENS> => {
      await moving.advance(5000);
      return TOKENS;
    };

    expect(await callRefresh(slow, request, { codes: {}, clock: moving })).toMatchObject({ sentAt: began });
  });

  test('to a function that was given what it needs', async () => {
    const given: unknown[] = [];
    await call((...parameters: unknown[]) => {
      given.push(...parameters);
      return TOKENS;
    });

    expect(given).toEqual([request]);
  });
});

const MIB = 1024 * 1024;

describe('an answer without tokens', () => {
  test.each([
    ['200 with an error', () => json({ error: 'bad_refresh_token' }), 'refused', false],
    ['200 with tokens beside an error', () => json({ ...TOKENS, error: 'invalid_grant' }), 'refused', false],
    ['200 with ok: false', () => json({ ok: false, error: 'invalid_refresh_token' }), 'refused', false],
    ['200 with tokens beside ok: false', () => json({ ...TOKENS, ok: false, error: 'x' }), 'puzzling', false],
    ['200 with tokens beside ok: false alone', () => json({ ...TOKENS, ok: false }), 'malformed', true],
    ['300 with tokens', () => json(TOKENS, 300), 'misconfigured', false],
    ['200 with other names', () => json({ accessToken: 'a' }), 'malformed', true],
    ['an object with other names', () => ({ accessToken: 'a' }), 'malformed', true],
    ['an empty access token', () => ({ access_token: '' }), 'malformed', true],
    ['an access token that no header can hold', () => ({ access_token: 'a\r\nx: y' }), 'malformed', true],
    ['an access token that is no text', () => ({ access_token: 5 }), 'malformed', true],
    ['200 with HTML', () => new Response('<p>Sign in</p>'), 'transient', true],
    ['200 with JSON that is cut', () => new Response('{"access_token":"a'), 'transient', true],
    ['200 that breaks off', () => streamed(['{"access_token":"a2"}'], { breaks: true }), 'transient', true],
    ['204', () => new Response(null, { status: 204 }), 'transient', true],
    ['nothing', () => undefined, 'transient', true],
    ['a list', () => [TOKENS], 'transient', true],
    ['200 beyond 1 MiB', () => json({ ...TOKENS, pad: 'x'.repeat(MIB) }), 'transient', true],
    ['400 beyond 1 MiB', () => new Response('x'.repeat(MIB + 1), { status: 400 }), 'puzzling', false],
    ['400 with invalid_grant', () => json({ error: 'invalid_grant' }, 400), 'refused', false],
    ['400 with tokens', () => json(TOKENS, 400), 'rejected', false],
    ['400, empty', () => new Response('', { status: 400 }), 'rejected', false],
    ['401 with HTML', () => new Response('<p>', { status: 401 }), 'puzzling', false],
    ["a profile's code", () => json({ error: 'gone' }, 400), 'revoked', false],
    ['429', () => json({}, 429), 'throttled', false],
    ['502 with HTML', () => new Response('<p>', { status: 502 }), 'transient', true],
    ['a redirect', () => new Response(null, { status: 302 }), 'misconfigured', false],
    ['an error of the network', () => Response.error(), 'misconfigured', false],
  ])('%s', async (_, refresh, kind, outcomeUnknown) => {
    expect(await failureOf(refresh)).toMatchObject({ kind, outcomeUnknown });
  });

  test('of just 1 MiB is read', async () => {
    const bare = JSON.stringify({ ...TOKENS, pad: '' }).length;

    expect(await call(() => json({ ...TOKENS, pad: 'x'.repeat(MIB - bare) }))).toHaveProperty('response');
    expect(await call(() => json({ ...TOKENS, pad: 'x'.repeat(MIB - bare + 1) }))).toHaveProperty('failure');
  });

  test('that is too long is cancelled', async () => {
    let cancelled = false;
    const body = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(MIB / 4)),
      cancel() {
        cancelled = true;
      },
    });
    await failureOf(() => new Response(body));

    expect(cancelled).toBe(true);
  });

  test('tells when to come back', async () => {
    const inSeconds = await failureOf(() => json({}, 503, { 'retry-after': '7' }));
    const atDate = await failureOf(() =>
      json({}, 429, { 'retry-after': new Date(clock.now() + 9000).toUTCString() }),
    );

    expect([inSeconds.kind, inSeconds.retryAfterMs, atDate.retryAfterMs]).toEqual(['throttled', 7000, 9000]);
  });

  test("lists the names of a client's own response, and none of its values", async () => {
    const { text } = await failureOf(() => ({ data: TOKENS, status: 200, config: { data: 'canary' } }));

    expect(text).toBe(
      'the token response holds no usable access_token; its members are: data, status, config',
    );
  });
});

describe('a thrown error that carries a response is judged by it', () => {
  const body = { error: 'invalid_grant', error_description: 'gone' };

  test.each([
    ['of axios', { response: { status: 400, headers: new Headers(), data: body } }, 'refused', 400],
    [
      'of axios with text',
      { response: { status: 400, headers: {}, data: JSON.stringify(body) } },
      'refused',
      400,
    ],
    ['of axios without a body', { response: { status: 401, headers: {}, data: '' } }, 'rejected', 401],
    ['of axios with HTML', { response: { status: 502, headers: {}, data: '<p>' } }, 'transient', 502],
    ['of got', { response: { statusCode: 400, headers: {}, body: JSON.stringify(body) } }, 'refused', 400],
    ['of got with JSON', { response: { statusCode: 400, headers: {}, body } }, 'refused', 400],
    [
      'of got that cannot be parsed',
      { response: { statusCode: 200, headers: {}, body: '{' } },
      'transient',
      200,
    ],
    ['of a client that tells no body', { response: { status: 400, headers: {} } }, 'rejected', 400],
    ['of ky', { response: json(body, 400) }, 'refused', 400],
  ])('%s', async (_, members, kind, status) => {
    const failure = await failureOf(throwing(Object.assign(new Error('failed'), members)));

    expect(failure).toMatchObject({ kind, facts: { status } });
  });

  test('of ky, which read the body', async () => {
    const response = json(body, 400);
    const data: unknown = await response.json();

    expect(await failureOf(throwing(Object.assign(new Error('failed'), { response, data })))).toMatchObject({
      kind: 'refused',
    });
  });

  test('of ky, whose body cannot be read any more', async () => {
    const response = json(body, 400);
    await response.text();

    expect(await failureOf(throwing(Object.assign(new Error('failed'), { response })))).toMatchObject({
      kind: 'rejected',
      facts: { status: 400 },
    });
  });

  test.each([
    ['axios', { status: 429, headers: new Headers({ 'retry-after': '7' }), data: '' }],
    ['got', { statusCode: 429, headers: { 'retry-after': '7' }, body: '' }],
    ['a client without headers', { status: 429, data: '' }],
    ['a client with several values', { status: 429, headers: { 'retry-after': ['7'] }, data: '' }],
  ])('with the Retry-After of %s', async (name, response) => {
    const { retryAfterMs } = await failureOf(throwing(Object.assign(new Error('failed'), { response })));

    expect(retryAfterMs).toBe(name === 'axios' || name === 'got' ? 7000 : undefined);
  });

  test.each([
    ['undefined', undefined],
    ['null', null],
    ['text', 'HTTP 400'],
    ['without a status', { data: body }],
  ])('unless the response is %s', async (_, response) => {
    expect(await failureOf(throwing(Object.assign(new Error('failed'), { response })))).toMatchObject({
      kind: 'transient',
      outcomeUnknown: true,
    });
  });
});

describe('a throw', () => {
  test('of an AccessTokenError is obeyed', async () => {
    const error = new AccessTokenError('ERR_ACCOUNT_DISABLED', 'closed', { cause: { secret: 'canary' } });
    const failure = await failureOf(throwing(error));

    expect(failure).toMatchObject({ kind: 'disabled', text: 'closed' });
    expect(inspect(failure, { depth: Infinity })).not.toContain('canary');
  });

  test('of an AccessTokenError is obeyed whatever else it carries', async () => {
    const error = new AccessTokenError('ERR_MISCONFIGURED', 'no client');
    Object.assign(error, { response: { status: 500 } });

    expect((await failureOf(throwing(error))).kind).toBe('misconfigured');
  });

  test.each([
    ['an error', new Error('canary'), { name: 'Error', code: undefined }],
    [
      'an error with a code',
      Object.assign(new Error('x'), { code: 'ECONNRESET' }),
      { name: 'Error', code: 'ECONNRESET' },
    ],
    ['text', 'canary', { name: 'string' }],
    ['nothing', undefined, { name: 'undefined' }],
  ])('of %s leaves the outcome unknown', async (_, error, facts) => {
    expect(await failureOf(throwing(error))).toEqual({
      kind: 'transient',
      outcomeUnknown: true,
      text: 'the refresh function failed, and whether the refresh token was spent is not known',
      facts,
    });
  });

  test('is as good as a rejection', async () => {
    expect(await failureOf(() => Promise.reject(new Error('x')))).toMatchObject({ kind: 'transient' });
  });
});

describe('over a real connection', () => {
  let server: Server | undefined;

  async function serve(listener: RequestListener): Promise<string> {
    server = createServer(listener);
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
  }

  async function close(): Promise<void> {
    const closing = server;
    server = undefined;
    closing?.closeAllConnections();
    await new Promise((resolve) => (closing === undefined ? resolve(undefined) : closing.close(resolve)));
  }

  afterEach(close);

  const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: request.refreshToken! });
  const byFetch = (url: string) => () => fetch(url, { method: 'POST', body: form });
  const byAxios = (url: string) => async () => (await axios.post<object>(url, form)).data;

  test.each([
    ['fetch', byFetch],
    ['axios', byAxios],
  ])('%s brings tokens', async (_, by) => {
    const url = await serve((_request, response) => void response.end(JSON.stringify(TOKENS)));

    expect(await call(by(url))).toMatchObject({ response: TOKENS });
  });

  test.each([
    ['fetch', byFetch],
    ['axios', byAxios],
  ])('%s to a closed port has surely sent nothing', async (_, by) => {
    const url = await serve(() => undefined);
    await close();

    expect(await failureOf(by(url))).toMatchObject({
      kind: 'transient',
      outcomeUnknown: false,
      text: 'the token endpoint could not be reached',
    });
  });

  test.each([
    ['fetch', byFetch],
    ['axios', byAxios],
  ])('%s to what speaks no TLS has surely sent nothing', async (_, by) => {
    const url = await serve(() => undefined);

    expect(await failureOf(by(url.replace('http:', 'https:')))).toMatchObject({ outcomeUnknown: false });
  });

  test.each([
    ['fetch', byFetch],
    ['axios', byAxios],
  ])('%s that is reset after it sent may have spent the refresh token', async (_, by) => {
    const url = await serve((incoming) => {
      incoming.on('end', () => incoming.socket.destroy());
      incoming.resume();
    });

    expect(await failureOf(by(url))).toMatchObject({ kind: 'transient', outcomeUnknown: true });
  });

  test('a body that breaks off may have spent the refresh token', async () => {
    const url = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"access_token":"a2"', () => response.destroy());
    });

    expect(await failureOf(byFetch(url))).toMatchObject({ kind: 'transient', outcomeUnknown: true });
  });

  test('what axios throws shows nowhere, though it holds the refresh token', async () => {
    const url = await serve((incoming, response) => {
      incoming.resume();
      const echo = { error: 'invalid_grant', error_description: `no ${request.refreshToken}` };
      response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify(echo));
    });
    const failure = await failureOf(byAxios(url));
    const error = errorOf(failure, { account: 'alice', secrets: [request.refreshToken] });

    expect(failure).toMatchObject({ kind: 'refused', facts: { status: 400, error: 'invalid_grant' } });
    expect(error.message).toContain('invalid_grant (no [redacted])');
    expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain('canary');
  });
});

describe('the secrets that a refresh function names', () => {
  const answering = (): Response => json({ error: 'bad canary', error_description: 'no canary here' }, 400);

  test('are not told of', async () => {
    const failure = await failureOf(Object.assign(answering, { secrets: () => ['canary'] }));

    expect(failure).toMatchObject({
      text: 'the token endpoint answered 400 with bad [redacted] (no [redacted] here)',
      facts: { name: 'OAuthError', status: 400, error: 'bad [redacted]' },
    });
  });

  test('are asked for in vain without anything being told', async () => {
    const secrets = throwing(new Error('canary'));

    expect(inspect(await failureOf(Object.assign(() => answering(), { secrets })))).not.toMatch('canary');
  });
});
