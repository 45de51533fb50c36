import {
  bodyOfRequest,
  checkAdapter,
  isOneShot,
  isWrapped,
  markWrapper,
  sendFetch,
  streamOf,
  wrappingOf,
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

/** Whether nothing but adapters is between the two. */
function reaches(outer: Send | undefined, send: Send): boolean {
  return (
    outer === send || (outer !== undefined && reaches(wrappingOf(outer)?.inner as Send | undefined, send))
  );
}

/** How the option `json` of one call becomes a text, as ky does it. */
interface Json {
  readonly stringify: (data: unknown) => string;
  /** What was sent. */
  text?: string;
}

/** By what was put in the place of `stringifyJson`, so that a second adapter takes what the first one notes. */
const noted = new WeakMap<object, Json>();

function jsonOf(call: CallOptions): Json | undefined {
  if (call.json === undefined) return undefined;
  const { stringifyJson = JSON.stringify } = call;
  const known = noted.get(stringifyJson);
  if (known) return known;
  const json: Json = { stringify: (data) => stringifyJson(data) ?? JSON.stringify(data) };
  // Called once, before anything is sent.
  call.stringifyJson = (data) => (json.text = json.stringify(data));
  noted.set(call.stringifyJson, json);
  return json;
}

/** As far as it is easily known. */
function sizeOf(value: {}): number {
  const { byteLength, size, length = 0 } = value as Partial<ArrayBuffer & Blob & string>;
  return byteLength ?? size ?? length;
}

/** What finds the body of each attempt. */
function createBodies(
  call: CallOptions,
  json: Json | undefined,
): (request: Request, send: Send) => FoundRequest['body'] {
  let isFirst = true;

  /** Whether the attempt may have another Request than the one that ky made of the options. */
  function mayBeOther(send: Send): boolean {
    const { beforeRequest = [], beforeRetry = [], afterResponse = [] } = call.hooks ?? {};
    const hooks = isFirst ? beforeRequest : [...beforeRequest, ...beforeRetry, ...afterResponse];
    isFirst = false;
    const isOtherText = call.json !== undefined && noted.get(call.stringifyJson!) !== json;
    return hooks.length > 0 || isOtherText || !reaches(call.fetch, send);
  }

  return (request, send) => {
    const isOther = mayBeOther(send);
    if (request.body === null) return { value: undefined };
    const value = call.json === undefined ? (call.body ?? undefined) : json?.text;
    const isStream = isOneShot({ value });
    const isKnown = !isOther && value !== undefined;
    // A value is sent again from where it came.
    if (isKnown && !isStream) return { value };
    const contentLength = Number(request.headers.get('content-length'));
    if (isKnown && request.body) return { value: request.body, toClientBody: streamOf, contentLength };
    const size = value === undefined || isStream ? undefined : sizeOf(value);
    return { ...bodyOfRequest(request), contentLength, size };
  };
}

/** Of another realm, or another library, as it was; a class that only extends ours may be made of something else. */
function copyOf(request: object, changes: RequestInit): Request {
  const Copy = request instanceof Request ? Request : (request.constructor as typeof Request);
  return new Copy(request as Request, changes);
}

/** How one attempt is sent. */
function sendWith(inner: Send | undefined, request: Request, init?: RequestInit): FetchCall['send'] {
  return (changes) => {
    if (changes === undefined) return (inner ?? fetch)(request, init);
    // Where a Request is made of another with changes, it forgets these; to parse a default again is not free.
    const { referrer, referrerPolicy } = request;
    const attempt: RequestInit = { ...changes, referrerPolicy };
    if (referrer !== 'about:client') attempt.referrer = referrer;
    // The caller's own may look at the Request alone.
    return inner ? inner(copyOf(request, attempt), init) : fetch(request, { ...init, ...attempt });
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
    const json = jsonOf(call);
    const bodyOf = createBodies(call, json);
    const send: Send = async (request, init) => {
      const headers = new Headers(request.headers);
      return sendFetch(adapter, {
        url: request.url,
        method: request.method,
        headers,
        hasAuthorization: headers.has('authorization'),
        redirect: request.redirect,
        signal: request.signal,
        body: bodyOf(request, send),
        prepare: (json ?? jsonOf(call))?.stringify,
        options: call.context?.['unexpired'] as RequestOptions | undefined,
        native: request,
        request,
        send: sendWith(inner, request, init),
      });
    };
    call.fetch = markWrapper(send, { tokens, inner });
  }

  return { hooks: { init: [(call) => wrap(call as CallOptions)] } };
}
