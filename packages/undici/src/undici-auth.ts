import {
  checkAdapter,
  type AdapterOptions,
  type TokenSource,
  type TokenSourceResolver,
} from '@unexpired/core';
import type { Dispatcher } from 'undici';
import { Call, SENT_FOR } from './call.ts';
import { withHeadersKept } from './headers.ts';

// The types of undici 7.0 have no name for it.
type Dispatch = Dispatcher['dispatch'];

/** For `dispatcher.compose`. undici 8 names the one origin that the dispatcher has, or null where it has several. */
export type UndiciInterceptor = (dispatch: Dispatch, fixedOrigin?: string | null) => Dispatch;

/**
 * An interceptor for `dispatcher.compose`: requests to the source's origins carry an access token, and a 401 is answered
 * with a fresh one, once. It comes before those that send again: `compose(undiciAuth(tokens), retry, redirect)`.
 *
 * @throws TypeError that names the option, what was expected, and what came
 */
export function undiciAuth(
  tokens: TokenSource | TokenSourceResolver,
  options: AdapterOptions = {},
): UndiciInterceptor {
  checkAdapter(tokens, options);
  const adapter = { tokens, options };
  return (dispatch, fixedOrigin) => (opts, handler) => {
    const isSent = (opts as { [SENT_FOR]?: unknown })[SENT_FOR] === tokens;
    // To open a tunnel is no request to its origin.
    if (isSent || opts.method === 'CONNECT') return dispatch(opts, handler);
    const kept = withHeadersKept(opts);
    return new Call({ adapter, dispatch, opts: kept, handler, origin: fixedOrigin }).run();
  };
}
