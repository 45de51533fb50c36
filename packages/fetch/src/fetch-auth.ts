import {
  checkAdapter,
  checkRequestOptions,
  drain,
  selectSource,
  sendAuthorized,
  standAsideFor,
  type AdapterOptions,
  type Authorization,
  type RequestBody,
  type RequestOptions,
  type ResponseFacts,
  type TokenSource,
  type TokenSourceResolver,
  type Transport,
} from '@unexpired/core';
import { bodyOfRequest, streamOf } from './body.ts';

/** Any function that is called as fetch is, npm undici's too. */
export type FetchFunction = (input: never, init?: never) => Promise<unknown>;

/** `F`, with the key `unexpired` in its `init`. */
export type AuthFetch<F extends FetchFunction = typeof fetch> = (
  input: Parameters<F>[0],
  init?: Parameters<F>[1] & { readonly unexpired?: RequestOptions | undefined },
) => ReturnType<F>;

export interface FetchAuthOptions<F extends FetchFunction = typeof fetch> extends AdapterOptions {
  /**
   * What sends the requests.
   * @default the global fetch, as it is at the time of each call
   */
  readonly fetch?: F | undefined;
}

type Init = RequestInit & { readonly unexpired?: RequestOptions | undefined };

/** One call, taken apart without touching it. */
interface Call {
  readonly input: RequestInfo | URL;
  /** Without the key `unexpired`; the caller's own object where that was not there. */
  readonly init: RequestInit | undefined;
  readonly request: Request | undefined;
  readonly options: RequestOptions;
  /** A copy. */
  readonly headers: Headers;
  readonly body: RequestBody;
}

/** By shape: npm undici has a Request class of its own. */
function isRequest(input: unknown): input is Request {
  return typeof (input as { clone?: unknown } | undefined)?.clone === 'function';
}

function withoutOptions(init: Init | undefined): RequestInit | undefined {
  if (init === undefined || !('unexpired' in init)) return init;
  const { unexpired: _, ...rest } = init;
  return rest;
}

function takeApart(input: RequestInfo | URL, given: Init | undefined): Call {
  const options = checkRequestOptions(given?.unexpired);
  // A Request as `init` has its members on its prototype, where no copy would find them.
  if (isRequest(given)) return takeApart(new (given.constructor as typeof Request)(input, given), undefined);
  const init = withoutOptions(given);
  const request = isRequest(input) ? input : undefined;
  const headers = new Headers(init?.headers ?? request?.headers);
  const own =
    request?.body && !init?.body ? bodyOfRequest(request) : { value: init?.body, toClientBody: streamOf };
  const contentLength = Number(headers.get('content-length') ?? 0);
  return { input, init, request, options, headers, body: { ...own, factory: options.body, contentLength } };
}

/** The arguments of one attempt. */
function attemptOf(call: Call, authorization: Authorization, body: unknown): RequestInit {
  const { init, request, headers } = call;
  headers.delete('authorization');
  for (const [name, value] of Object.entries(authorization.headers)) headers.set(name, value);
  const attempt: RequestInit & { duplex?: 'half' } = { ...init, headers };
  if (authorization.customHeader !== undefined && (init?.redirect ?? request?.redirect) !== 'manual') {
    // fetch strips no other header than Authorization from a redirect to another origin.
    attempt.redirect = 'error';
  }
  if (body === call.body.value) return attempt;
  if (call.options.body !== undefined) {
    // They describe the body before; a boundary above all.
    headers.delete('content-length');
    if (Object.prototype.toString.call(body) === '[object FormData]') headers.delete('content-type');
  }
  return { ...attempt, body: body as BodyInit, duplex: 'half' } as RequestInit;
}

/** Node 24.14 rejects with this where a streamed body is answered 401 (nodejs/undici#4910). */
function isHidden401(error: unknown): error is TypeError {
  return (
    (error as { cause?: { message?: unknown } } | null)?.cause?.message === 'expected non-null body source'
  );
}

function factsOf(result: Response | TypeError): ResponseFacts {
  if (!('status' in result)) return { url: undefined, status: 401, header: () => undefined, native: result };
  return {
    url: result.url,
    status: result.status,
    header: (name) => result.headers.get(name),
    native: result,
  };
}

function transportOf(call: Call, send: typeof fetch): Transport<Response | TypeError> {
  return {
    async send(authorization, body) {
      if (authorization === undefined) return send(call.input, call.init);
      try {
        return await send(call.input, attemptOf(call, authorization, body));
      } catch (error) {
        if (isHidden401(error)) return error;
        throw error;
      }
    },
    facts: factsOf,
    async discard(result) {
      if ('body' in result) void drain(result.body);
    },
  };
}

/**
 * Wraps fetch: an access token goes with each request to a listed origin, and after a 401 the request is sent once more
 * with a fresh one.
 *
 * @throws TypeError that names the option, what was expected, and what came
 */
export function fetchAuth<F extends FetchFunction = typeof fetch>(
  tokens: TokenSource | TokenSourceResolver,
  options: FetchAuthOptions<F> = {},
): AuthFetch<F> {
  checkAdapter(tokens, options, { fetch: ['a function', (value) => typeof value === 'function'] });

  async function authFetch(input: RequestInfo | URL, given?: Init): Promise<Response> {
    const send = (options.fetch as typeof fetch | undefined) ?? globalThis.fetch;
    const call = takeApart(input, given);
    const { init, request, headers, body } = call;
    const url = request?.url ?? String(call.input);
    const method = init?.method ?? request?.method ?? 'GET';
    const native = { input, init: given };
    const source = await selectSource(tokens, { url, method, account: call.options.account, native });
    if (source === undefined) return send(call.input, init);
    const signal = (init?.signal === undefined ? request?.signal : init.signal) ?? undefined;
    const standAside = standAsideFor(call.options, options, headers.has('authorization'));
    const described = { url, method, standAside, signal, minTtlMs: call.options.minTtlMs };
    const result = await sendAuthorized(source, { request: described, body }, transportOf(call, send));
    if ('status' in result) return result;
    throw result;
  }
  return authFetch as unknown as AuthFetch<F>;
}
