import type { Fault, TokenEndpointFault } from './fault.ts';

const html = { 'Content-Type': 'text/html; charset=utf-8' };

function oauthError(
  code: string,
  options: {
    /** @default 400 */
    readonly status?: number | undefined;
    readonly description?: string | undefined;
    /** Puts the code into `error.code`, as some servers do. @default false */
    readonly nested?: boolean | undefined;
  } = {},
): Fault {
  const { status = 400, description, nested = false } = options;
  const body = nested
    ? { error: { code, message: description } }
    : { error: code, error_description: description };
  return { respond: { status, body } };
}

function retryLater(
  status: 429 | 503,
  retryAfter: NonNullable<TokenEndpointFault['retryAfter']>,
): TokenEndpointFault {
  return { respond: { status }, retryAfter };
}

function without(...members: string[]): TokenEndpointFault {
  return { change: Object.fromEntries(members.map((member) => [member, undefined])) };
}

/** Faults that servers really show, by name; any other is an object of one's own, and `{ ...a, ...b }` combines two. */
export const faults: {
  /** An OAuth error, with the status 400 of RFC 6749 or any that a server chose, 200 too. The grant stays as it was. */
  readonly oauthError: typeof oauthError;
  /** Too many requests, or unavailable, with `Retry-After`. */
  readonly retryLater: typeof retryLater;
  /** A successful answer that lacks some members. */
  readonly without: typeof without;
  /** The HTML page of a proxy that could not reach the server. */
  readonly badGateway: Fault;
  /** The exchange takes effect, and the answer breaks off although its length says that it is complete. */
  readonly truncatedJson: Fault;
  /** The exchange takes effect, and the answer claims to be JSON and is not. */
  readonly malformedJson: TokenEndpointFault;
} = {
  oauthError,
  retryLater,
  without,
  badGateway: {
    respond: { status: 502, headers: html, body: '<html><body><h1>502 Bad Gateway</h1></body></html>' },
  },
  truncatedJson: { truncate: true },
  malformedJson: {
    takesEffect: true,
    respond: { headers: { 'Content-Type': 'application/json' }, body: "{access_token: 'unquoted'}" },
  },
};
