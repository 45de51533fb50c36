import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../test/runs.ts';
import { AccessTokenError, type AccessTokenErrorCode } from '../src/errors.ts';
import {
  classifyAnswer,
  classifyOwn,
  classifyThrown,
  errorOf,
  retryAfterMs,
  withoutSecrets,
  type Answer,
  type CodeTable,
  type Failure,
  type FailureKind,
} from '../src/failure.ts';

const character = fc.nat(0x10ffff).map((point) => String.fromCodePoint(point));

const NOW = Date.UTC(2026, 0, 1);

function answerOf(status: number, json: unknown, others: Partial<Answer> = {}): Answer {
  return { status, json, retryAfter: null, empty: false, ...others };
}

function judge(answer: Answer, codes: CodeTable = {}): Failure {
  return classifyAnswer(answer, codes, NOW);
}

const EMPTY = { empty: true };
const HTML = undefined;
const WAITS = { retryAfter: '7' };

describe('an answer without a known code', () => {
  test.each([
    ['429', answerOf(429, {}), 'throttled', false],
    ['429 with HTML', answerOf(429, HTML), 'throttled', false],
    ['503 with Retry-After', answerOf(503, HTML, WAITS), 'throttled', false],
    ['503', answerOf(503, HTML), 'transient', true],
    [
      '503 with a Retry-After that says nothing',
      answerOf(503, {}, { retryAfter: 'soon' }),
      'transient',
      true,
    ],
    ['408', answerOf(408, undefined, EMPTY), 'transient', true],
    ['500', answerOf(500, {}), 'transient', true],
    ['500 with an unknown code', answerOf(500, { error: 'oops' }), 'transient', true],
    ['502 with HTML', answerOf(502, HTML), 'transient', true],
    ['504 with Retry-After', answerOf(504, HTML, WAITS), 'transient', true],
    ['504, empty', answerOf(504, undefined, EMPTY), 'transient', true],
    ['200 with HTML or cut JSON', answerOf(200, HTML), 'transient', true],
    ['200, empty', answerOf(200, undefined, EMPTY), 'transient', true],
    ['204, empty', answerOf(204, undefined, EMPTY), 'transient', true],
    ['200 with JSON that is no object', answerOf(200, 'ok'), 'transient', true],
    ['200 with other members', answerOf(200, { accessToken: 'a' }), 'malformed', true],
    ['201 with no members', answerOf(201, {}), 'malformed', true],
    ['200 with an unknown code', answerOf(200, { error: 'ratelimited' }), 'puzzling', false],
    [
      '200 with ok: false and an unknown code',
      answerOf(200, { ok: false, error: 'fatal' }),
      'puzzling',
      false,
    ],
    ['400, empty', answerOf(400, undefined, EMPTY), 'rejected', false],
    ['401, empty', answerOf(401, undefined, EMPTY), 'rejected', false],
    ['400 with JSON that is no OAuth error', answerOf(400, { message: 'no' }), 'rejected', false],
    ['401 with JSON that is no OAuth error', answerOf(401, { message: 'no' }), 'rejected', false],
    ['400 with JSON null', answerOf(400, null), 'rejected', false],
    ['400 with an error without a code', answerOf(400, { error: { message: 'no' } }), 'rejected', false],
    ['400 with an empty error', answerOf(400, { error: '' }), 'rejected', false],
    ['400 with an unknown code elsewhere', answerOf(400, { code: 'oops' }), 'rejected', false],
    [
      '400 with an unknown code beside a numeric error',
      answerOf(400, { error: 17, code: 'oops' }),
      'rejected',
      false,
    ],
    ['400 with a numeric error', answerOf(400, { error: 17 }), 'rejected', false],
    ['400 with HTML', answerOf(400, HTML), 'puzzling', false],
    ['401 with HTML', answerOf(401, HTML), 'puzzling', false],
    ['403 with HTML', answerOf(403, HTML), 'puzzling', false],
    ['403, empty', answerOf(403, undefined, EMPTY), 'puzzling', false],
    ['403 with JSON that is no OAuth error', answerOf(403, { message: 'no' }), 'puzzling', false],
    ['404 with HTML', answerOf(404, HTML), 'puzzling', false],
    ['400 with an unknown code', answerOf(400, { error: 'oops' }), 'puzzling', true],
    ['401 with an unknown nested code', answerOf(401, { error: { code: 'oops' } }), 'puzzling', true],
    ['300', answerOf(300, {}), 'misconfigured', false],
    ['302', answerOf(302, undefined, EMPTY), 'misconfigured', false],
    ['399', answerOf(399, {}), 'misconfigured', false],
    ['a redirect that a browser hides', answerOf(0, undefined, EMPTY), 'misconfigured', false],
  ] as const)('%s', (_, answer, kind: FailureKind, outcomeUnknown) => {
    expect(judge(answer)).toMatchObject({ kind, outcomeUnknown });
  });
});

const REFUSED =
  'invalid_grant bad_refresh_token BAD_REFRESH_TOKEN invalid_refresh_token NotAuthorizedException ' +
  'InvalidGrantException RefreshTokenReuseException interaction_required consent_required login_required mfa_required';
const REVOKED =
  'refresh_token_expired refresh_token_reused refresh_token_invalidated token_expired token_invalidated ' +
  'app_session_terminated account_session_expired account_auth_invalidated';
const DISABLED = 'account_deactivated account_suspended account_deleted';
const MISCONFIGURED =
  'invalid_client unauthorized_client unsupported_grant_type invalid_scope access_denied invalid_target';
const TRANSIENT = 'temporarily_unavailable server_error slow_down overloaded overloaded_error';

const meaning: [code: string, kind: FailureKind][] = (
  [
    [REFUSED, 'refused'],
    [REVOKED, 'revoked'],
    [DISABLED, 'disabled'],
    ['invalid_request', 'rejected'],
    [MISCONFIGURED, 'misconfigured'],
    [TRANSIENT, 'transient'],
  ] as const
).flatMap(([codes, kind]) => codes.split(' ').map((code): [string, FailureKind] => [code, kind]));

const shapes: [name: string, wrap: (code: string) => unknown][] = [
  ['error', (error) => ({ error })],
  ['error with a description', (error) => ({ error, error_description: 'for a reason' })],
  ['error beside ok: false', (error) => ({ ok: false, error })],
  ['error.code', (code) => ({ error: { code, message: 'no' } })],
  ['error.type', (type) => ({ error: { type, code: null } })],
  ['error[".tag"]', (tag) => ({ error: { '.tag': tag }, error_summary: 'no' })],
  ['errorCode', (errorCode) => ({ errorCode })],
  ['code', (code) => ({ code, message: 'no' })],
  ['status', (status) => ({ status, message: 'no' })],
  ['category', (category) => ({ status: 'error', category })],
  ['__type', (type) => ({ __type: type })],
  ['__type with a namespace', (type) => ({ __type: `com.amazonaws.example#${type}` })],
  ['a list', (errorCode) => [{ errorCode, message: 'no' }]],
  ['a list of standard errors', (error) => [{ error }]],
];

describe('a known code', () => {
  test.each(meaning)('%s means %s, at every status and in every shape', (code, kind) => {
    for (const status of [200, 400, 401, 403]) {
      for (const [shape, wrap] of shapes) {
        const { kind: judged, outcomeUnknown, facts } = judge(answerOf(status, wrap(code)));

        expect([status, shape, judged, outcomeUnknown]).toEqual([status, shape, kind, false]);
        expect(facts).toEqual({ name: 'OAuthError', status, error: code });
      }
    }
  });

  test.each(meaning)('%s means %s at a 5xx too', (code, kind) => {
    for (const status of [500, 503]) {
      const failure = judge(answerOf(status, { error: code }, WAITS));

      expect(failure).toMatchObject({ kind, outcomeUnknown: kind === 'transient', retryAfterMs: 7000 });
    }
  });

  test('is believed before an unknown one in another place', () => {
    expect(judge(answerOf(400, { error: 'oops', code: 'refresh_token_reused' })).kind).toBe('revoked');
    expect(judge(answerOf(400, { error: 'oops', errorCode: 'x', __type: 'y' })).facts.error).toBe('oops');
  });

  test('is not looked for in the description', () => {
    const json = { error: 'oops', error_description: 'invalid_grant', message: 'refresh_token_reused' };

    expect(judge(answerOf(400, json)).kind).toBe('puzzling');
  });

  test.each(['constructor', 'toString', '__proto__', 'hasOwnProperty', 'valueOf'])(
    'is not what every object has: %s',
    (error) => {
      expect(judge(answerOf(400, { error })).kind).toBe('puzzling');
    },
  );
});

describe("a profile's codes", () => {
  test('come before the standard table, in any place', () => {
    const codes: CodeTable = { invalid_grant: 'transient', '3200': 'revoked', expired: 'refused' };

    expect(judge(answerOf(400, { error: 'invalid_grant' }), codes).kind).toBe('transient');
    expect(judge(answerOf(400, { error: 'oops', code: '3200' }), codes).kind).toBe('revoked');
    expect(judge(answerOf(401, [{ category: 'EXPIRED' }]), codes).kind).toBe('refused');
  });

  test('are found as they are written', () => {
    expect(judge(answerOf(400, { code: 'TokenGone' }), { TokenGone: 'revoked' }).kind).toBe('revoked');
  });
});

describe('the text', () => {
  test.each([
    [
      'a code',
      answerOf(400, { error: 'invalid_grant' }),
      'the token endpoint answered 400 with invalid_grant',
    ],
    [
      'a code and its description',
      answerOf(400, { error: 'invalid_grant', error_description: 'Token is not active' }),
      'the token endpoint answered 400 with invalid_grant (Token is not active)',
    ],
    [
      'a code in a list',
      answerOf(400, [{ error: 'invalid_grant' }]),
      'the token endpoint answered 400 with invalid_grant',
    ],
    [
      'control and direction characters as spaces',
      answerOf(400, { error: 'a\u001b[31m', error_description: 'b\n\u202ec\u2028d' }),
      'the token endpoint answered 400 with a [31m (b  c d)',
    ],
    [
      'the names of the members that came',
      answerOf(200, { accessToken: 'secret-a', refreshToken: 'secret-r' }),
      'the token response holds no usable access_token; its members are: accessToken, refreshToken',
    ],
    [
      'that no member came',
      answerOf(200, {}),
      'the token response holds no usable access_token; its members are: none',
    ],
    [
      'a redirect',
      answerOf(302, undefined, EMPTY),
      'the token endpoint answered with a redirect, which is never followed with a refresh token',
    ],
    ['an empty body', answerOf(400, undefined, EMPTY), 'the token endpoint answered 400 with an empty body'],
    [
      'a body of another type',
      answerOf(502, HTML),
      'the token endpoint answered 502 with a body that is not JSON',
    ],
    ['no code', answerOf(401, { message: 'no' }), 'the token endpoint answered 401 with no OAuth error'],
  ])('tells %s', (_, answer, text) => {
    expect(judge(answer).text).toBe(text);
  });

  test('names 20 members at most', () => {
    const members = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`member${n}`, n]));
    const { text } = judge(answerOf(200, members));

    expect(text).toContain('member19');
    expect(text).not.toContain('member20');
  });
});

describe('Retry-After', () => {
  const date = (ms: number): string => new Date(NOW + ms).toUTCString();

  test.each([
    ['5', 5000],
    [' 5 ', 5000],
    ['0', 1000],
    ['1', 1000],
    ['3600', 3_600_000],
    ['3601', 3_600_000],
    ['9'.repeat(400), 3_600_000],
    [date(20_000), 20_000],
    [date(-20_000), 1000],
    [new Date(NOW + 20_000).toISOString(), 20_000],
    [date(365 * 24 * 3_600_000), 3_600_000],
    ['', undefined],
    ['  ', undefined],
    ['soon', undefined],
    [null, undefined],
    [undefined, undefined],
  ])('%j means %j ms', (value, expected) => {
    expect(retryAfterMs(value, NOW)).toBe(expected);
  });

  test('is 1 s to 1 h, or nothing, whatever a server sends', () => {
    const values = fc.oneof(
      fc.string({ unit: character }),
      fc.integer().map(String),
      fc.double().map(String),
      fc.date({ noInvalidDate: true }).map((value) => value.toUTCString()),
      fc.date({ noInvalidDate: true }).map((value) => value.toISOString()),
    );
    fc.assert(
      fc.property(values, (value) => {
        const ms = retryAfterMs(value, NOW) ?? 1000;

        expect(ms).toBeGreaterThanOrEqual(1000);
        expect(ms).toBeLessThanOrEqual(3_600_000);
      }),
      runs(500),
    );
  });

  test('that the answer holds is told, whatever the answer means', () => {
    expect(judge(answerOf(400, { error: 'invalid_grant' }, WAITS)).retryAfterMs).toBe(7000);
    expect(judge(answerOf(500, HTML)).retryAfterMs).toBeUndefined();
  });
});

const coded = (code: string, others: object = {}): Error =>
  Object.assign(new Error(code), { code, ...others });
const causedBy = (cause: unknown): Error => new TypeError('fetch failed', { cause });

function nested(depth: number): Error {
  return depth === 0 ? coded('ECONNREFUSED') : causedBy(nested(depth - 1));
}

describe('a throw whose cause says that nothing was sent', () => {
  test.each([
    'ECONNREFUSED',
    'ENOTFOUND',
    'EAI_AGAIN',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'EADDRNOTAVAIL',
    'UND_ERR_CONNECT_TIMEOUT',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'ERR_SSL_WRONG_VERSION_NUMBER',
    'CERT_HAS_EXPIRED',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'ERR_INVALID_URL',
  ])('%s', (code) => {
    for (const error of [coded(code), causedBy(coded(code)), causedBy(causedBy(coded(code)))]) {
      expect(classifyThrown(error, {})).toEqual({
        kind: 'transient',
        outcomeUnknown: false,
        text: 'the token endpoint could not be reached',
        facts: {},
      });
    }
  });

  test('a time-out of connecting, to one address or to all', () => {
    const timeOut = coded('ETIMEDOUT', { syscall: 'connect' });
    const all = new AggregateError([timeOut, coded('ENETUNREACH')]);

    for (const error of [timeOut, all, causedBy(all)]) {
      expect(classifyThrown(error, {}).outcomeUnknown).toBe(false);
    }
  });

  test('a handshake that failed before what was to be written', () => {
    expect(classifyThrown(causedBy(coded('EPROTO', { syscall: 'write' })), {}).outcomeUnknown).toBe(false);
  });

  test('as deep as libraries nest', () => {
    expect(classifyThrown(nested(5), {}).outcomeUnknown).toBe(false);
  });
});

describe('a throw whose cause does not say so', () => {
  const circular = coded('EPIPE');
  circular.cause = circular;

  test.each([
    ['a reset', causedBy(coded('ECONNRESET'))],
    ['a closed socket', causedBy(coded('UND_ERR_SOCKET'))],
    ['a time-out of reading', coded('ETIMEDOUT', { syscall: 'read' })],
    ['a breach of the protocol while reading', coded('EPROTO', { syscall: 'read' })],
    ['a breach of who knows what', coded('EPROTO')],
    ['a code of no system call', coded('EPIPE')],
    ['a time-out of who knows what', coded('ETIMEDOUT')],
    [
      'one address that may have been reached',
      new AggregateError([coded('ECONNREFUSED'), coded('ECONNRESET')]),
    ],
    ['a list of no errors', new AggregateError([])],
    ['a code in a longer word', coded('NOT_ENOTFOUND_AT_ALL')],
    ['a number as its code', Object.assign(new Error(), { code: 111 })],
    ['an error without a cause', new Error('it broke')],
    ['a string', 'ECONNREFUSED'],
    ['null', null],
    ['undefined', undefined],
    ['a cause that is itself', circular],
    ['a cause beyond any nesting', nested(7)],
  ])('%s leaves the outcome unknown', (_, error) => {
    expect(classifyThrown(error, { name: 'Error' })).toEqual({
      kind: 'transient',
      outcomeUnknown: true,
      text: 'the refresh function failed, and whether the refresh token was spent is not known',
      facts: { name: 'Error' },
    });
  });
});

describe('an AccessTokenError that a refresh function threw is obeyed', () => {
  test.each([
    ['ERR_REAUTHENTICATION_REQUIRED', {}, 'refused'],
    ['ERR_REAUTHENTICATION_REQUIRED', { permanent: true }, 'revoked'],
    ['ERR_ACCOUNT_DISABLED', {}, 'disabled'],
    ['ERR_REFRESH_REJECTED', {}, 'rejected'],
    ['ERR_MISCONFIGURED', {}, 'misconfigured'],
    ['ERR_ACCOUNT_MISMATCH', {}, 'other-account'],
    ['ERR_REFRESH_FAILED', {}, 'transient'],
    ['ERR_REFRESH_FAILED', { retryAfterMs: 3000 }, 'throttled'],
    ['ERR_REFRESH_FAILED', { retryAfterMs: 0 }, 'throttled'],
    ['ERR_STORE_FAILED', {}, 'transient'],
  ] as const)('%s %j means %s', (code: AccessTokenErrorCode, options, kind) => {
    const error = new AccessTokenError(code, 'the vault is sealed\n', options);

    expect(classifyOwn(error)).toEqual({
      kind,
      outcomeUnknown: false,
      retryAfterMs: error.retryAfterMs,
      text: 'the vault is sealed ',
      facts: { name: 'AccessTokenError', code },
    });
  });

  test('and one with a word for a code, which every object has, is transient', () => {
    const error = new AccessTokenError('toString' as AccessTokenErrorCode, 'busy');

    expect(classifyOwn(error).kind).toBe('transient');
  });

  test.each([NaN, Infinity, -5, 'soon', '60', null])(
    'but for a wait of %p ms, which is none',
    (retryAfterMs) => {
      const error = new AccessTokenError('ERR_REFRESH_FAILED', 'busy', {
        retryAfterMs: retryAfterMs as number,
      });

      expect(classifyOwn(error)).toMatchObject({ kind: 'transient', retryAfterMs: undefined });
    },
  );
});

test('what only the refresh function knows is taken out of each text, and nothing else is changed', () => {
  const failure: Failure = {
    kind: 'rejected',
    outcomeUnknown: false,
    text: 'the client s3cret is wrong',
    facts: { name: 'OAuthError', status: 401, error: 'not_s3cret' },
  };

  expect(withoutSecrets(failure, ['s3cret', ''])).toEqual({
    ...failure,
    text: 'the client [redacted] is wrong',
    facts: { name: 'OAuthError', status: 401, error: 'not_[redacted]' },
  });
});

describe('the error for callers', () => {
  test.each([
    ['transient', 'ERR_REFRESH_FAILED', false, 'It is tried again after a back-off.'],
    ['throttled', 'ERR_REFRESH_FAILED', false, 'It is tried again when the server allows it.'],
    ['puzzling', 'ERR_REFRESH_FAILED', false, 'It is tried again after a back-off.'],
    [
      'malformed',
      'ERR_REFRESH_FAILED',
      false,
      'Return the token response itself, with the names of RFC 6749.',
    ],
    [
      'rejected',
      'ERR_REFRESH_REJECTED',
      false,
      'It is tried again after a cool-down; sign in again if it stays so.',
    ],
    [
      'refused',
      'ERR_REAUTHENTICATION_REQUIRED',
      false,
      'Sign in again and hand the token response to signIn().',
    ],
    [
      'revoked',
      'ERR_REAUTHENTICATION_REQUIRED',
      true,
      'Sign in again and hand the token response to signIn().',
    ],
    ['disabled', 'ERR_ACCOUNT_DISABLED', true, 'The provider closed this account; ask the provider.'],
    ['misconfigured', 'ERR_MISCONFIGURED', false, 'Check the client, the grant and the token endpoint.'],
    ['other-account', 'ERR_ACCOUNT_MISMATCH', false, 'Check the refresh function, or sign in again.'],
  ] as const)('of a failure that is %s', (kind, code, permanent, advice) => {
    const failure: Failure = {
      kind,
      outcomeUnknown: false,
      retryAfterMs: 4000,
      text: 'it broke',
      facts: { name: 'OAuthError', status: 400, error: 'oops' },
    };
    const error = errorOf(failure, { account: 'alice', secrets: [], note: ' A note.' });

    expect(error).toMatchObject({ name: 'AccessTokenError', code, permanent, retryAfterMs: 4000 });
    expect(error.message).toBe(`The refresh of account 'alice' failed: it broke. A note. ${advice}`);
    expect(error.cause).toMatchObject({ name: 'OAuthError', status: 400, error: 'oops' });
  });

  const presented = `r-${'0123456789'.repeat(40)}`;

  test('shows nothing of what was presented, even where a server echoes it', () => {
    const json = {
      error: `bad ${presented}`,
      error_description: `no such token: ${presented}, or ${presented}`,
    };
    const error = errorOf(judge(answerOf(400, json)), {
      account: 'alice',
      secrets: [presented, undefined, ''],
    });

    expect(error.message).toContain('(no such token: [redacted], or [redacted])');
    expect(error.cause).toMatchObject({ error: 'bad [redacted]' });
    expect(`${error.message}${String(error.cause)}`).not.toContain(presented.slice(0, 10));
  });

  test('shows nothing of what was presented where a server echoes it as it came in a form', () => {
    const spaced = 'r/1 2=3';
    const echoes = [encodeURIComponent(spaced), 'r%2F1+2%3D3'];
    const json = { error: 'oops', error_description: `no token ${echoes.join(' nor ')}` };
    const { message } = errorOf(judge(answerOf(400, json)), { account: 'alice', secrets: [spaced] });

    expect(message).toContain('(no token [redacted] nor [redacted])');
  });

  test('shows nothing of what was presented where a server echoes it as JSON', () => {
    const quoted = 'r"1\\2';
    const json = { error: 'oops', error_description: JSON.stringify({ refresh_token: quoted }) };

    expect(errorOf(judge(answerOf(400, json)), { account: 'alice', secrets: [quoted] }).message).toContain(
      '{"refresh_token":"[redacted]"}',
    );
  });

  test('replaces a secret once, also where its replacement holds it', () => {
    const json = { error: 'oops', error_description: 'no token "d"' };

    expect(errorOf(judge(answerOf(400, json)), { account: 'alice', secrets: ['d'] }).message).toContain(
      'no token "[redacted]"',
    );
  });

  test('shows no head of a secret that a cut would leave', () => {
    const json = { error: 'oops', error_description: `${'x'.repeat(240)} ${presented}` };

    expect(
      errorOf(judge(answerOf(400, json)), { account: 'alice', secrets: [presented] }).message,
    ).not.toContain(presented.slice(0, 8));
  });

  test('shows no secret that a foreign error has in its name or code', () => {
    const facts = { name: `Error of ${presented}`, code: `E_${presented}` };
    const { cause } = errorOf(classifyThrown(new Error('it broke'), facts), {
      account: 'alice',
      secrets: [presented],
    });

    expect(cause).toMatchObject({ name: 'Error of [redacted]', code: 'E_[redacted]' });
  });

  test("cuts a server's text to 300 characters", () => {
    const error = errorOf(judge(answerOf(400, { error: 'e'.repeat(5000) })), {
      account: 'alice',
      secrets: [],
    });

    expect(error.message.length).toBeLessThan(500);
    expect((error.cause as { error: string }).error).toHaveLength(300);
  });

  test('has no code of the server where there is none', () => {
    expect(errorOf(judge(answerOf(502, HTML)), { account: 'alice', secrets: [] }).cause).not.toHaveProperty(
      'error',
    );
  });
});

test('whatever a token endpoint answers is judged, and told without what was presented', () => {
  const answers = fc.record({
    status: fc.integer({ min: 0, max: 999 }),
    json: fc.oneof(
      fc.jsonValue(),
      fc.dictionary(fc.constantFrom('error', 'code', 'ok', 'status'), fc.jsonValue()),
    ),
    retryAfter: fc.option(fc.string()),
    empty: fc.boolean(),
  });
  fc.assert(
    fc.property(answers, (answer) => {
      const error = errorOf(judge(answer), { account: 'alice', secrets: ['presented'] });

      expect(error.code).toMatch(/^ERR_/);
      expect(error.message).toMatch(/^The refresh of account 'alice' failed: the token .+\. /su);
      expect(error.message).not.toMatch(/\p{Cc}/u);
    }),
    runs(1000),
  );
});
