import {
  bodyOfRequest,
  checkAdapter,
  sendFetch,
  streamOf,
  type AdapterOptions,
  type FoundRequest,
  type RequestOptions,
  type TokenSource,
  type TokenSourceResolver,
} from '@unexpired/core';

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
   * @default the global fetch, as it is at the time of each request
   */
  readonly fetch?: F | undefined;
}

type Input = RequestInfo | URL;
type Init = RequestInit & { readonly unexpired?: RequestOptions | undefined };

/** One request, taken apart. */
interface Call {
  readonly input: Input;
  readonly init: RequestInit;
  readonly request: Request | undefined;
  /** A copy. */
  readonly headers: Headers;
  readonly body: FoundRequest['body'];
}

/** By shape: npm undici has a Request class of its own. */
function isRequest(input: unknown): input is Request {
  return typeof (input as { clone?: unknown } | undefined)?.clone === 'function';
}

/** A copy, inherited members too: what the caller changes after the call must not be sent. */
function copyOf(given: Init | undefined): RequestInit {
  const copy: Record<string, unknown> = {};
  for (const name in given) if (name !== 'unexpired') copy[name] = given[name as keyof Init];
  return copy;
}

/** What is judged is what is sent: a URL object may change, and a page's `base` element would move a relative URL. */
function urlOf(input: string | URL): string {
  const { location } = globalThis as { location?: Location };
  return location === undefined ? String(input) : new URL(input, location.href).href;
}

function takeApart(given: Input, givenInit: Init | undefined): Call {
  const input = isRequest(given) ? given : urlOf(given);
  const init = copyOf(givenInit);
  const request = isRequest(input) ? input : undefined;
  const headers = new Headers(init.headers ?? request?.headers);
  // A copy also where nothing is added: what is iterated once is used up by now.
  if (init.headers) init.headers = Symbol.iterator in init.headers ? headers : { ...init.headers };
  const own = { value: init.body, toClientBody: streamOf };
  const body = request === undefined || (own.value ?? null) !== null ? own : bodyOfRequest(request);
  const contentLength = body.value ? Number(headers.get('content-length')) : undefined;
  return { input, init, request, headers, body: { ...body, contentLength } };
}

/**
 * Wraps fetch: requests to the source's origins carry an access token, and a 401 is answered with a fresh one, once.
 *
 * @throws TypeError that names the option, what was expected, and what came
 */
export function fetchAuth(tokens: TokenSource | TokenSourceResolver, options?: FetchAuthOptions): AuthFetch;
export function fetchAuth<F extends FetchFunction>(
  tokens: TokenSource | TokenSourceResolver,
  options: FetchAuthOptions<F>,
): AuthFetch<F>;
export function fetchAuth(
  tokens: TokenSource | TokenSourceResolver,
  options: FetchAuthOptions = {},
): AuthFetch {
  checkAdapter(tokens, options, { fetch: ['a function', (value) => typeof value === 'function'] });

  async function authFetch(input: Input, given?: Init): Promise<Response> {
    // Its members are on its prototype, where no copy would find them.
    if (isRequest(given)) return authFetch(new (given.constructor as typeof Request)(input, given));
    const call = takeApart(input, given);
    const { init, request, headers, body } = call;
    const send = options.fetch ?? globalThis.fetch;
    return sendFetch(
      { tokens, options },
      {
        url: request?.url ?? (call.input as string),
        method: init.method ?? request?.method ?? 'GET',
        headers,
        hasAuthorization: headers.has('authorization'),
        redirect: init.redirect ?? request?.redirect,
        signal: (init.signal === undefined ? request?.signal : init.signal) ?? undefined,
        body,
        options: given?.unexpired,
        native: { input, init },
        send: (changes) => send(call.input, { ...init, ...changes }),
      },
    );
  }
  return authFetch;
}
