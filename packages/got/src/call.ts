import { isOneShot } from '@unexpired/core';
import type { Authorization, FoundRequest, GuardedRequest, RequestOptions } from '@unexpired/core';
import type { Options, OptionsInit } from 'got';

/** One request, over all its attempts. */
export interface Call {
  /** Of the attempt under way: got makes a copy for each. */
  options: Options;
  /** What the attempt that may be replayed was, before redirects and the user's hooks changed it. */
  beginning?: (OptionsInit & Required<Pick<OptionsInit, 'headers'>>) | undefined;
  /** What stands for the caller's body; handlers and hooks may put in another. */
  own: unknown;
  /** Of the attempt under way. */
  authorization?: Authorization | undefined;
  readonly found: FoundRequest;
  /** Its body, for a replay, by the caller or by got. */
  readonly isMadeAnew: boolean;
}

const isForm = (body: unknown): boolean => Object.prototype.toString.call(body) === '[object FormData]';

/** Those that a redirect takes away; a jar gives cookies anew. */
const ownHeadersOf = ({ headers, cookieJar }: Options): string[] =>
  Object.keys(headers).filter(
    (name) => /^(content|transfer)-/.test(name) || (name === 'cookie' && !cookieJar),
  );

const placeOf = (options: Options) => ({
  url: String(options.url),
  method: options.method,
  hasAuthorization: 'authorization' in options.headers,
  hasOwnAuthentication: Boolean(options.username || options.password),
  native: options,
});

export function callOf(options: Options): Call {
  const { body, context, headers, isStream, signal } = options;
  const unexpired = context['unexpired'] as RequestOptions | undefined;
  const found = {
    ...placeOf(options),
    isOnce: isStream,
    signal,
    body: {
      value: body,
      contentLength: Number(headers['content-length']),
      toClientBody: (recording: unknown) => recording,
    },
    options: unexpired,
  };
  return { options, found, own: body, isMadeAnew: unexpired?.body !== undefined || isForm(body) };
}

/** What got reads by iterating, once. */
export const isStream = (value: unknown): boolean =>
  isOneShot({ value }) && (Symbol.asyncIterator in (value as object) || Symbol.iterator in (value as object));

/** What `body` gives when it is read. got 14 neither listens to a Node stream of ours, nor lets one live for a retry. */
export function once(body: () => unknown): AsyncGenerator<unknown> {
  async function* read(): AsyncGenerator<unknown> {
    yield* body() as AsyncIterable<unknown>;
  }
  const chunks = read();
  let isRead = false;
  function iterate(): AsyncGenerator<unknown> {
    // got 14 would send it again, empty.
    if (isRead) throw new Error('this body cannot be sent twice');
    isRead = true;
    return chunks;
  }
  return Object.assign(chunks, { [Symbol.asyncIterator]: iterate });
}

/** Takes our header off: it would be taken for the caller's own, and shown by errors. */
export function tidy({ authorization, options: { headers } }: Call): void {
  for (const name in authorization?.headers) {
    // Not what a hook has put in its place.
    if (headers[name] === authorization.headers[name]) delete headers[name];
  }
}

export function begin(call: Call, options: Options): void {
  call.options = options;
  tidy(call);
  const { url, method, body, headers } = options;
  const kept = Object.fromEntries(ownHeadersOf(options).map((name) => [name, headers[name]]));
  call.beginning ??= { url: String(url), method, body: body!, headers: kept };
  // Of json, and of a form, got has made a body by now.
  if (call.own === undefined || (isForm(call.own) && isStream(body))) call.own = body;
}

/** After redirects and the user's hooks. */
export function judge({ options, beginning, own, found, isMadeAnew }: Call): void {
  const { body, isStream } = options;
  // The user may have given it another body, of which there is no record.
  const isOther = (isMadeAnew ? beginning!.body : body) !== own && isOneShot({ value: body });
  const place = placeOf(options);
  Object.assign(found, place, {
    // What the caller set to undefined, got has removed by now.
    hasAuthorization: found.hasAuthorization || place.hasAuthorization,
    isOnce: isStream || isOther,
  });
}

/** The request as it began, with its body once more. */
export async function replayOf(call: Call, request: GuardedRequest): Promise<OptionsInit> {
  const { options, beginning, own, isMadeAnew } = call;
  const { url, body, headers, ...others } = beginning!;
  const isOurs = body === own && (isMadeAnew || isStream(own));
  const made = isOurs ? await request.again() : body;
  if (isMadeAnew) delete headers['content-length'];
  if (isForm(made)) delete headers['content-type'];
  for (const name of ownHeadersOf(options)) delete options.headers[name];
  const { limit, calculateDelay } = options.retry;
  let isDue = true;
  // It is none of the user's retries: it uses none of them up, and is not theirs to veto.
  const retry: OptionsInit['retry'] = {
    limit: limit! + 1,
    calculateDelay(facts) {
      if (!isDue) return calculateDelay!(facts);
      isDue = false;
      return 1;
    },
  };
  return {
    ...others,
    // Where it is the same, an absolute one might be forbidden.
    ...(url !== String(options.url) && { url: url! }),
    body: isStream(made) ? once(() => made) : (made as string),
    headers,
    retry,
    preserveHooks: true,
  };
}
