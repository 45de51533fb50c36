import {
  bodyOfRequest,
  checkAdapter,
  isOneShot,
  sendFetch,
  type AdapterOptions,
  type FetchCall,
  type FoundRequest,
  type RequestOptions,
  type TokenSource,
  type TokenSourceResolver,
} from '@unexpired/core';
import type { Options } from 'ky';

type Send = (request: Request, init?: RequestInit) => Promise<Response>;

/** What an init hook is given: the options of one call. */
type CallOptions = Omit<Options, 'fetch'> & { fetch?: Send | undefined };

/** What was wrapped, so that an adapter that is attached twice sends once. */
const wrapped = new WeakMap<object, { readonly tokens: unknown; readonly inner: Send | undefined }>();

function isWrapped(send: Send | undefined, tokens: unknown): boolean {
  const wrapping = send && wrapped.get(send);
  return wrapping !== undefined && (wrapping.tokens === tokens || isWrapped(wrapping.inner, tokens));
}

/** What the body of a call is made of. */
interface Source {
  /** As ky does with the option `json`. */
  readonly stringify: (data: unknown) => string;
  bodyOf(request: Request): FoundRequest['body'];
}

function sourceOf(call: CallOptions): Source {
  const { stringifyJson = JSON.stringify } = call;
  let text: string | undefined;
  const stringify = (data: unknown): string => stringifyJson(data) ?? JSON.stringify(data);
  // Called once, before anything is sent.
  const remember = (data: unknown): string => (text = stringify(data));
  call.stringifyJson = remember;

  let isFirst = true;

  /** Whether hooks may have given ky another Request than the one that was made of the options. */
  function mayBeOther(): boolean {
    const { beforeRequest = [], beforeRetry = [], afterResponse = [] } = call.hooks ?? {};
    const hooks = isFirst ? beforeRequest : [...beforeRequest, ...beforeRetry, ...afterResponse];
    isFirst = false;
    return hooks.length > 0 || (call.json !== undefined && call.stringifyJson !== remember);
  }

  return {
    stringify,
    bodyOf(request) {
      const value = call.json === undefined ? (call.body ?? undefined) : text;
      const isStream = isOneShot({ value });
      // A value is sent again from where it came.
      if (!mayBeOther() && value !== undefined && !isStream) return { value };
      const contentLength = Number(request.headers.get('content-length'));
      return { ...bodyOfRequest(request, isStream), contentLength };
    },
  };
}

/** How one attempt is sent. */
function sendWith(inner: Send | undefined, request: Request, init?: RequestInit): FetchCall['send'] {
  return (changes) => {
    if (changes === undefined) return (inner ?? fetch)(request, init);
    // Where a Request is made of another with changes, it forgets these.
    const { referrer, referrerPolicy } = request;
    const attempt = { ...changes, referrer, referrerPolicy };
    // The caller's own may look at the Request alone.
    if (inner) return inner(new (request.constructor as typeof Request)(request, attempt), init);
    return fetch(request, { ...init, ...attempt });
  };
}

/**
 * Options for `ky.extend`: requests to the source's origins carry an access token, and a 401 is answered with a fresh
 * one, once. They wrap what ky sends each attempt with, so hooks run once, and ky's own retries stay as they are.
 *
 * @throws TypeError that names the option, what was expected, and what came
 */
export function kyAuth(tokens: TokenSource | TokenSourceResolver, options: AdapterOptions = {}): Options {
  checkAdapter(tokens, options);
  const adapter = { tokens, options };

  function wrap(call: CallOptions): void {
    const { fetch: inner } = call;
    if (isWrapped(inner, tokens)) return;
    const source = sourceOf(call);
    const send: Send = async (request, init) => {
      const headers = new Headers(request.headers);
      return sendFetch(adapter, {
        url: request.url,
        method: request.method,
        headers,
        hasAuthorization: headers.has('authorization'),
        redirect: request.redirect,
        signal: request.signal,
        body: source.bodyOf(request),
        prepare: call.json === undefined ? undefined : source.stringify,
        options: call.context?.['unexpired'] as RequestOptions | undefined,
        native: request,
        request,
        send: sendWith(inner, request, init),
      });
    };
    wrapped.set(send, { tokens, inner });
    call.fetch = send;
  }

  return { hooks: { init: [(call) => wrap(call as CallOptions)] } };
}
