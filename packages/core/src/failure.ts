import { AccessTokenError, causeOf, type AccessTokenErrorCode, type CauseFacts } from './errors.ts';
import { isObject } from './options.ts';
import { redacted } from './redaction.ts';

/**
 * What a failed refresh means:
 * - `transient`: try again soon; `throttled`: the server says when
 * - `puzzling`: as transient, but three flights in a row that end so are a rejection (web application firewalls)
 * - `malformed`: a complete answer that holds no access token; not repeated within the flight
 * - `rejected`: refused without an OAuth code that says why; cools down, never dead
 * - `refused`: `invalid_grant` and its like; cools down once, then dead
 * - `revoked`: the code says that no repeat can help; `disabled`: so does this one, about the account
 * - `misconfigured`: the request itself is wrong; the refresh token is not to blame
 * - `other-account`: the answer is about another subject
 */
export type FailureKind =
  | 'transient'
  | 'throttled'
  | 'puzzling'
  | 'malformed'
  | 'rejected'
  | 'refused'
  | 'revoked'
  | 'disabled'
  | 'misconfigured'
  | 'other-account';

export interface Failure {
  readonly kind: FailureKind;
  /** Whether the authorization server may have spent the refresh token without our seeing the answer. */
  readonly outcomeUnknown: boolean;
  readonly retryAfterMs?: number | undefined;
  /** What happened, for the error's message; free of secrets. */
  readonly text: string;
  readonly facts: CauseFacts;
}

/** An answer of a token endpoint, read but not yet judged. */
export interface Answer {
  readonly status: number;
  readonly retryAfter: string | null | undefined;
  /** The parsed body; undefined where it is not JSON. */
  readonly json: unknown;
  /** The body was empty. */
  readonly empty: boolean;
}

const KIND_OF_CODE: Readonly<Record<string, FailureKind>> = Object.fromEntries(
  (
    [
      [
        'refused',
        'invalid_grant bad_refresh_token invalid_refresh_token notauthorizedexception invalidgrantexception refreshtokenreuseexception interaction_required consent_required login_required mfa_required',
      ],
      [
        'revoked',
        'refresh_token_expired refresh_token_reused refresh_token_invalidated token_expired token_invalidated app_session_terminated account_session_expired account_auth_invalidated',
      ],
      ['disabled', 'account_deactivated account_suspended account_deleted'],
      ['rejected', 'invalid_request'],
      [
        'misconfigured',
        'invalid_client unauthorized_client unsupported_grant_type invalid_scope access_denied invalid_target',
      ],
      ['transient', 'temporarily_unavailable server_error slow_down overloaded overloaded_error'],
    ] as const
  ).flatMap(([kind, codes]) => codes.split(' ').map((code) => [code, kind])),
);

export type CodeTable = Readonly<Record<string, FailureKind>>;

/** Some providers answer with a list of errors. */
function errorBody(json: unknown): Record<string, unknown> {
  const body = Array.isArray(json) ? (json as unknown[])[0] : json;
  return isObject(body) ? body : {};
}

/** Where providers put their code, the standard place first. */
function candidates(body: Record<string, unknown>): string[] {
  const nested = isObject(body['error']) ? body['error'] : {};
  const found = [
    body['error'],
    nested['code'],
    nested['type'],
    nested['.tag'],
    ...['errorCode', 'code', 'status', 'category', '__type'].map((name) => body[name]),
  ];
  return found.filter((value): value is string => typeof value === 'string' && value !== '');
}

/** Not what every object has: a server may answer with any word. */
function meaningIn(codes: CodeTable, code: string): FailureKind | undefined {
  return Object.hasOwn(codes, code) ? codes[code] : undefined;
}

/** The code and its meaning; a code without a meaning where only the standard place holds one. */
function codeIn(json: unknown, codes: CodeTable): { code?: string; kind?: FailureKind } {
  const body = errorBody(json);
  const found = candidates(body);
  for (const code of found) {
    const plain = code.slice(code.lastIndexOf('#') + 1);
    const lower = plain.toLowerCase();
    const kind = meaningIn(codes, plain) ?? meaningIn(codes, lower) ?? meaningIn(KIND_OF_CODE, lower);
    if (kind !== undefined) return { code: plain, kind };
  }
  const hasError = found.length > 0 && (isObject(body['error']) || typeof body['error'] === 'string');
  return hasError ? { code: found[0]! } : {};
}

/** Retry-After in either form (RFC 9110, section 10.2.3), clamped to 1 s … 1 h. */
export function retryAfterMs(value: string | null | undefined, nowMs: number): number | undefined {
  const text = value ?? '';
  const ms = /^\s*\d+\s*$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 1000), 3_600_000);
}

function kindOfStatus({ status, json, empty }: Answer, isOAuth: boolean, waits: boolean): FailureKind {
  if (status === 429 || (status === 503 && waits)) return 'throttled';
  if (status < 200 || (status >= 300 && status < 400)) return 'misconfigured';
  if (status >= 500 || status === 408) return 'transient';
  if (isOAuth) return 'puzzling';
  if (status < 300) return isObject(json) ? 'malformed' : 'transient';
  return (status === 400 || status === 401) && (empty || json !== undefined) ? 'rejected' : 'puzzling';
}

/** Server-supplied text is shown without control and direction characters. */
function shownText(value: unknown): string {
  return typeof value === 'string' ? value.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, ' ') : '';
}

function textOf(kind: FailureKind, { status, json, empty }: Answer, code: string | undefined): string {
  if (code !== undefined) {
    const description = isObject(json) ? shownText(json['error_description']) : '';
    return `the token endpoint answered ${status} with ${shownText(code)}${description && ` (${description})`}`;
  }
  if (kind === 'malformed') {
    return `the token response holds no usable access_token; its members are: ${memberNames(json)}`;
  }
  if (kind === 'misconfigured') {
    return 'the token endpoint answered with a redirect, which is never followed with a refresh token';
  }
  const body = empty ? 'an empty body' : json === undefined ? 'a body that is not JSON' : 'no OAuth error';
  return `the token endpoint answered ${status} with ${body}`;
}

/** Judges an answer that brought no tokens. A known code says more than the status. */
export function classifyAnswer(answer: Answer, codes: CodeTable, nowMs: number): Failure {
  const { status } = answer;
  const { code, kind: known } = codeIn(answer.json, codes);
  const waitMs = retryAfterMs(answer.retryAfter, nowMs);
  const kind = known ?? kindOfStatus(answer, code !== undefined, waitMs !== undefined);
  const unknown =
    kind === 'malformed' ||
    (kind === 'transient' && (known === undefined || status >= 500)) ||
    (kind === 'puzzling' && code !== undefined && status >= 300);
  return {
    kind,
    outcomeUnknown: unknown,
    retryAfterMs: waitMs,
    text: textOf(kind, answer, code),
    facts: { name: 'OAuthError', status, error: code },
  };
}

function memberNames(json: unknown): string {
  return (
    Object.keys(json as object)
      .slice(0, 20)
      .map(shownText)
      .join(', ') || 'none'
  );
}

// The request never left: name resolution, connecting, TLS. Codes of Node, undici and OpenSSL.
const NOT_SENT =
  /^(ECONNREFUSED|ENOTFOUND|EAI_\w+|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|UND_ERR_CONNECT_TIMEOUT|ERR_TLS_\w+|ERR_SSL_\w+|CERT_\w+|DEPTH_ZERO_\w+|SELF_SIGNED_\w+|UNABLE_TO_\w+|ERR_INVALID_URL)$/;

/** Codes that say it of one system call only. */
const NOT_SENT_BY: Readonly<Record<string, unknown>> = {
  ETIMEDOUT: 'connect',
  // The handshake failed, so that what was to be written could not be.
  EPROTO: 'write',
};

/** Follows `cause` and the members of an AggregateError, to a bounded depth. */
function wasNotSent(error: unknown, depth = 0): boolean {
  if (typeof error !== 'object' || error === null || depth > 5) return false;
  const { code, syscall, cause, errors } = error as Record<string, unknown>;
  if (typeof code === 'string' && (NOT_SENT.test(code) || (syscall && NOT_SENT_BY[code] === syscall))) {
    return true;
  }
  const inner = Array.isArray(errors) && errors.length > 0 ? errors : [cause];
  return inner.every((next) => wasNotSent(next, depth + 1));
}

/** Judges what a refresh function threw, where it threw no answer. */
export function classifyThrown(error: unknown, facts: CauseFacts): Failure {
  const notSent = wasNotSent(error);
  return {
    kind: 'transient',
    outcomeUnknown: !notSent,
    text: notSent
      ? 'the token endpoint could not be reached'
      : 'the refresh function failed, and whether the refresh token was spent is not known',
    facts,
  };
}

const KIND_OF_ERROR: CodeTable & Partial<Record<AccessTokenErrorCode, FailureKind>> = {
  ERR_ACCOUNT_DISABLED: 'disabled',
  ERR_ACCOUNT_MISMATCH: 'other-account',
  ERR_MISCONFIGURED: 'misconfigured',
  ERR_REFRESH_REJECTED: 'rejected',
};

/** An AccessTokenError from a refresh function is obeyed. */
export function classifyOwn(error: AccessTokenError): Failure {
  const refused = error.permanent ? 'revoked' : 'refused';
  const given: unknown = error.retryAfterMs;
  // No wait ends that is not a number, and none may last for ever.
  const retryAfterMs = typeof given === 'number' && Number.isFinite(given) && given >= 0 ? given : undefined;
  return {
    kind:
      error.code === 'ERR_REAUTHENTICATION_REQUIRED'
        ? refused
        : (meaningIn(KIND_OF_ERROR, error.code) ?? (retryAfterMs === undefined ? 'transient' : 'throttled')),
    outcomeUnknown: false,
    retryAfterMs,
    text: shownText(error.message),
    facts: { name: error.name, code: error.code },
  };
}

const ERROR_OF_KIND: Readonly<Record<FailureKind, readonly [AccessTokenErrorCode, advice: string]>> = {
  transient: ['ERR_REFRESH_FAILED', 'It is tried again after a back-off.'],
  throttled: ['ERR_REFRESH_FAILED', 'It is tried again when the server allows it.'],
  puzzling: ['ERR_REFRESH_FAILED', 'It is tried again after a back-off.'],
  malformed: ['ERR_REFRESH_FAILED', 'Return the token response itself, with the names of RFC 6749.'],
  rejected: ['ERR_REFRESH_REJECTED', 'It is tried again after a cool-down; sign in again if it stays so.'],
  refused: ['ERR_REAUTHENTICATION_REQUIRED', 'Sign in again and hand the token response to signIn().'],
  revoked: ['ERR_REAUTHENTICATION_REQUIRED', 'Sign in again and hand the token response to signIn().'],
  disabled: ['ERR_ACCOUNT_DISABLED', 'The provider closed this account; ask the provider.'],
  misconfigured: ['ERR_MISCONFIGURED', 'Check the client, the grant and the token endpoint.'],
  'other-account': ['ERR_ACCOUNT_MISMATCH', 'Check the refresh function, or sign in again.'],
};

/** Longer than this no server's text is shown. */
const SHOWN_LENGTH = 300;

/** The failure with each of its texts changed. */
function retold(failure: Failure, change: (text: string) => string): Failure {
  const facts = Object.entries(failure.facts).map(([name, fact]: [string, unknown]) => [
    name,
    typeof fact === 'string' ? change(fact) : fact,
  ]);
  return { ...failure, text: change(failure.text), facts: Object.fromEntries(facts) as CauseFacts };
}

/** The failure, told without what only the refresh function knows. */
export function withoutSecrets(failure: Failure, secrets: readonly string[]): Failure {
  return retold(failure, (text) => redacted(text, secrets));
}

/** The error for callers. What was presented never shows, even where a server echoes it. */
export function errorOf(
  failure: Failure,
  {
    account,
    secrets,
    note = '',
  }: {
    readonly account: string;
    readonly secrets: readonly (string | undefined)[];
    readonly note?: string;
  },
): AccessTokenError {
  const [code, advice] = ERROR_OF_KIND[failure.kind];
  // Redacted before it is cut: the head of a long token is a secret too.
  const { text, facts } = retold(failure, (told) =>
    redacted(shownText(told), secrets).slice(0, SHOWN_LENGTH),
  );
  return new AccessTokenError(code, `The refresh of account '${account}' failed: ${text}.${note} ${advice}`, {
    cause: causeOf(facts),
    permanent: failure.kind === 'revoked' || failure.kind === 'disabled',
    retryAfterMs: failure.retryAfterMs,
  });
}
