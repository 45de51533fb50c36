import { expect, test } from '@jest/globals';
import { createTokenSource, AccessTokenError, type RefreshFunction } from '@unexpired/core';
import { createFakeClock } from '@unexpired/testing';
import fc from 'fast-check';
import { runs } from '../../../test/runs.ts';
import { errorOf } from '../src/failure.ts';
import { callRefresh, type Outcome } from '../src/refresh.ts';
import { isAccessToken, type TokenResponse } from '../src/token-response.ts';

const REFRESH_TOKEN = 'canary-refresh-1f7a';
const clock = createFakeClock();

function call(refresh: () => unknown): Promise<Outcome> {
  const { signal } = new AbortController();
  const request = { refreshToken: REFRESH_TOKEN, tokens: undefined, signal, attempt: 1 };
  return callRefresh(refresh as RefreshFunction, request, { codes: {}, clock });
}

/** What holds of any outcome: usable tokens, or a failure that can be told. */
function expectSane(outcome: Outcome): void {
  if ('response' in outcome) {
    expect(isAccessToken(outcome.response.access_token)).toBe(true);
    return;
  }
  const { failure } = outcome;
  const { retryAfterMs = 0 } = failure;
  expect(retryAfterMs).toBeGreaterThanOrEqual(0);
  expect(retryAfterMs).toBeLessThan(Infinity);
  const error = errorOf(failure, { account: 'alice', secrets: [REFRESH_TOKEN] });
  expect(error).toBeInstanceOf(AccessTokenError);
  expect(error.code).toMatch(/^ERR_[A-Z_]+$/);
  expect(error.message.length).toBeLessThan(600);
  expect(`${error.message} ${JSON.stringify(error.cause)} ${String(error.cause)}`).not.toContain(
    REFRESH_TOKEN,
  );
}

const anything = fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true });
const canary = fc.constantFrom(REFRESH_TOKEN, `x ${REFRESH_TOKEN} y`, encodeURIComponent(REFRESH_TOKEN));
const member = fc.oneof(fc.jsonValue(), canary, fc.string());
const bodies = fc.oneof(
  fc.dictionary(
    fc.constantFrom(
      'access_token',
      'refresh_token',
      'error',
      'error_description',
      'ok',
      'code',
      'status',
      'x',
    ),
    member,
    { noNullPrototype: true },
  ),
  fc.jsonValue(),
);

/** A body in pieces that fall anywhere, in a character too. */
function inPieces(bytes: Uint8Array, cuts: readonly number[]): ReadableStream<Uint8Array> {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return new ReadableStream({
    start(controller) {
      let start = 0;
      for (const end of ends) {
        if (end > start) controller.enqueue(bytes.slice(start, end));
        start = Math.max(start, end);
      }
      controller.close();
    },
  });
}

const cuts = fc.array(fc.nat(500), { maxLength: 6 });
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

test('tokens of a Response are read as they were written, whatever the pieces they come in', async () => {
  const granted = fc.record({
    access_token: fc.stringMatching(/^[ -~]+$/),
    refresh_token: fc.string({ unit: 'grapheme', minLength: 1 }),
    more: fc.jsonValue(),
  });
  await fc.assert(
    fc.asyncProperty(granted, cuts, fc.integer({ min: 200, max: 299 }), async (tokens, where, status) => {
      fc.pre(![204, 205].includes(status));
      const body = encode(JSON.stringify(tokens));

      const outcome = await call(() => new Response(inPieces(body, where), { status }));

      expect('response' in outcome && outcome.response).toEqual(JSON.parse(JSON.stringify(tokens)));
    }),
    runs(200),
  );
});

test('tokens are taken from no answer that is cut off, refused or redirected', async () => {
  const tokens = encode(JSON.stringify({ access_token: 'a', refresh_token: 'r', more: '…' }));
  const status = fc.oneof(fc.integer({ min: 300, max: 599 }), fc.constant(200));
  await fc.assert(
    fc.asyncProperty(status, cuts, fc.nat(tokens.length - 1), async (code, where, length) => {
      const body = code === 200 ? tokens.slice(0, length) : tokens;
      const isBare = [304].includes(code);

      const outcome = await call(() => new Response(isBare ? null : inPieces(body, where), { status: code }));

      expect(outcome).not.toHaveProperty('response');
      expectSane(outcome);
    }),
    runs(200),
  );
});

test('any answer of a token endpoint is judged, and told without what was presented', async () => {
  const headers = fc.record({ 'retry-after': fc.stringMatching(/^[ -~]*$/) }, { requiredKeys: [] });
  const texts = fc.oneof(
    bodies.map((body) => JSON.stringify(body)),
    fc.string(),
    canary,
  );
  await fc.assert(
    fc.asyncProperty(texts, headers, fc.integer({ min: 200, max: 599 }), async (body, given, status) => {
      const isBare = [204, 205, 304].includes(status);
      expectSane(await call(() => new Response(isBare ? null : body, { status, headers: given })));
    }),
    runs(300),
  );
});

/** Looks like a response of some client, in some of its members. */
const responseLike = fc.record(
  {
    status: fc.oneof(fc.integer(), fc.double(), anything),
    statusCode: fc.oneof(fc.integer({ min: 100, max: 599 }), anything),
    headers: fc.oneof(fc.dictionary(fc.constantFrom('retry-after', 'get'), anything), anything),
    data: fc.oneof(bodies, anything),
    body: fc.oneof(bodies, anything),
    text: fc.constantFrom(
      () => '{}',
      async () => REFRESH_TOKEN,
      () => 5,
      () => Promise.reject(new Error('x')),
      'text',
    ),
  },
  { requiredKeys: [] },
);

function unreadable(): never {
  throw new Error(REFRESH_TOKEN);
}
const hostile = fc.constantFrom(
  Object.defineProperty({}, 'response', { get: unreadable }),
  { response: { status: 400, headers: { get: unreadable } } },
  { response: { status: 400, headers: {}, text: unreadable } },
  { status: 200, text: unreadable },
  { status: 200, headers: { get: unreadable }, text: () => '{}' },
);

test('whatever a refresh function returns or throws is judged', async () => {
  const values = fc.oneof(anything, responseLike, bodies, hostile);
  await fc.assert(
    fc.asyncProperty(values, fc.constantFrom('returns', 'throws', 'wraps'), async (value, how) => {
      const outcome = await call(() => {
        if (how === 'returns') return value;
        throw how === 'throws' ? value : { response: value };
      });

      expectSane(outcome);
    }),
    runs(1000),
  );
});

test('an AccessTokenError is obeyed however badly it was made', async () => {
  const made = fc.tuple(
    fc.oneof(fc.constantFrom('ERR_REFRESH_FAILED', 'ERR_MISCONFIGURED', 'toString', '__proto__'), anything),
    anything,
    fc.record({ permanent: anything, retryAfterMs: fc.oneof(fc.double(), anything), cause: anything }),
  );
  await fc.assert(
    fc.asyncProperty(made, async ([code, message, options]) => {
      fc.pre(['string', 'number', 'boolean'].includes(typeof message));
      const outcome = await call(() => {
        throw new AccessTokenError(code as never, message as string, options as never);
      });

      expect(outcome).not.toHaveProperty('response');
      expectSane(outcome);
    }),
    runs(500),
  );
});

test('after any garbage a caller gets an access token or an AccessTokenError, and nothing stored is lost', async () => {
  const seed: TokenResponse = { access_token: 'old', refresh_token: REFRESH_TOKEN, expires_in: 0 };
  await fc.assert(
    fc.asyncProperty(fc.oneof(anything, bodies, responseLike), async (garbage) => {
      const time = createFakeClock();
      const refreshed: unknown[] = [];
      const source = createTokenSource({
        origins: ['https://api.example.com'],
        // What cannot be understood is tried again; each repeat shows what is still held.
        refresh({ refreshToken }) {
          refreshed.push(refreshToken);
          return garbage as TokenResponse;
        },
        tokens: seed,
        clock: time,
        random: () => 0,
      });
      let ended: unknown;
      const asked = source.getAccessToken().then(
        (token) => (ended = token),
        (error: unknown) => (ended = error),
      );
      for (let turn = 0; ended === undefined && turn < 50; turn += 1) await time.advance(1000);
      await asked;

      if (typeof ended === 'string') {
        expect(isAccessToken(ended)).toBe(true);
      } else {
        expect(ended).toMatchObject({ name: 'AccessTokenError' });
        expect(String(ended)).not.toContain(REFRESH_TOKEN);
      }
      for (const presented of refreshed) expect(presented).toBe(REFRESH_TOKEN);
      await source.close();
    }),
    runs(100),
  );
});
