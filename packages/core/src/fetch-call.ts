import { sendGuarded, type Transport } from './adapter.ts';
import type { RequestOptions } from './adapter-options.ts';
import type { Authorization } from './authorization.ts';
import { drain, isOneShot } from './body-plan.ts';
import type { Adapter, FoundRequest } from './guarded-request.ts';
import type { ResponseFacts } from './reauthorize.ts';

/** One request, as adapters of fetch and of clients over fetch found it. */
export interface FetchCall extends FoundRequest {
  /** A copy, for the attempts to write into. */
  readonly headers: Headers;
  readonly redirect: RequestRedirect | undefined;
  /** What is sent by `send`, where it is one: a body that was used up with it has to be given again. */
  readonly request?: Request | undefined;
  /** Sends it, with these changes; undefined: as the caller made it. */
  readonly send: (changes: RequestInit | undefined) => Promise<Response>;
}

const isForm = (body: unknown): boolean => Object.prototype.toString.call(body) === '[object FormData]';

function changesFor(call: FetchCall, authorization: Authorization, sent: unknown): RequestInit {
  const { headers, body, options, request } = call;
  for (const name in authorization.headers) headers.set(name, authorization.headers[name]!);
  const changes: RequestInit = { headers };
  if (authorization.customHeader !== undefined) {
    headers.delete('authorization');
    // To a redirect's target on another origin, fetch takes every header along but Authorization.
    if (call.redirect !== 'manual') changes.redirect = 'error';
  }
  if (sent === body.value && !request?.bodyUsed) return changes;
  // The length and the boundary of the body before.
  if ((options as RequestOptions | undefined)?.body !== undefined) headers.delete('content-length');
  if (isForm(sent) || isForm(body.value)) headers.delete('content-type');
  return Object.assign(changes, { body: sent ?? '', duplex: 'half' });
}

/** Node 24.14 rejects with this where a streamed body is answered 401 (nodejs/undici#4910). */
function hidden401(error: unknown): Partial<Response> {
  const failure = error as { cause?: { message?: unknown } } | undefined;
  if (failure?.cause?.message === 'expected non-null body source') return error as Partial<Response>;
  throw error;
}

function factsOf(native: Partial<Response>): ResponseFacts {
  const { status = 401, headers } = native;
  // Asked for where it matters only: fetch makes the text anew each time.
  const url = status < 400 ? undefined : native.url;
  return { url, status, header: (name) => headers?.get(name), native };
}

/** Not waited for: a server may take its time with the rest of a 401. */
async function discard({ body }: Partial<Response>, enough: AbortSignal): Promise<void> {
  void drain(body, enough);
}

/** `sendGuarded` for whatever sends as fetch does. */
export async function sendFetch(adapter: Adapter, call: FetchCall): Promise<Response> {
  const transport: Transport<Partial<Response>> = {
    send(authorization, sent) {
      if (authorization === undefined) return call.send(undefined);
      const sending = call.send(changesFor(call, authorization, sent));
      return isOneShot({ value: sent }) ? sending.catch(hidden401) : sending;
    },
    facts: factsOf,
    discard,
  };
  const result = await sendGuarded(adapter, call, transport);
  if ('status' in result) return result as Response;
  throw result;
}
