import { checkAdapter, guardRequest } from '@unexpired/core';
import type { AdapterOptions, TokenSource, TokenSourceResolver } from '@unexpired/core';
import type { HandlerFunction, Options } from 'got';
import { callOf, foundIn, isRecorded, streamOf } from './call.ts';
import { attach, isAttached } from './hooks.ts';

/**
 * Options for `got.extend`: requests to the source's origins carry an access token, and a 401 is answered with a fresh
 * one, once. Streams are never sent a second time.
 *
 * @throws TypeError that names the option, what was expected, and what came
 */
export function gotAuth(
  tokens: TokenSource | TokenSourceResolver,
  options: AdapterOptions = {},
): { handlers: HandlerFunction[] } {
  checkAdapter(tokens, options);
  const adapter = { tokens, options };
  // Not async: got.stream would return a promise.
  const handler: HandlerFunction = (given, next) => {
    // Undefined where got could make nothing of the caller's options.
    if ((given as Options | undefined) === undefined || isAttached(given, tokens)) return next(given);
    const call = callOf(given);
    const request = guardRequest(adapter, foundIn(call));
    attach(call, request, tokens);
    // Here, not in a hook: there, got drops the length that the caller declared.
    if (isRecorded(call)) given.body = streamOf(() => request.body());
    const result = next(given);
    const end = (): void => request.dispose();
    if (isRecorded(call)) void (result as Promise<unknown>).then(end, end);
    return result;
  };
  return { handlers: [handler] };
}
