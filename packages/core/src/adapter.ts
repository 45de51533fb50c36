import type { Authorization } from './authorization.ts';
import { guardRequest, type Adapter, type FoundRequest } from './guarded-request.ts';
import type { ResponseFacts } from './reauthorize.ts';
import { isPromise } from './waiting.ts';

/** One HTTP client, as `sendGuarded` sees it. `R` is whatever it returns, also for failures that carry a status. */
export interface Transport<R> {
  /** One attempt, with a copy of the caller's headers; undefined: as the caller made it. */
  send(authorization: Authorization | undefined, body: unknown): Promise<R>;
  /** Undefined where nothing was answered. */
  facts(result: R): ResponseFacts | undefined;
  /** Gets rid of a response that will not reach the caller; of all of it once `enough` aborts. */
  discard(result: R, enough: AbortSignal): Promise<void>;
}

/** Sends one request by the source that is responsible for it; untouched where there is none. */
export async function sendGuarded<R>(
  adapter: Adapter,
  found: FoundRequest,
  transport: Transport<R>,
): Promise<R> {
  const request = guardRequest(adapter, found);
  const authorized = request.authorize();
  // Not awaited where it is there: the caller's body is taken at the call, as the bare client takes it.
  const authorization = isPromise(authorized) ? await authorized : authorized;
  if (authorization === undefined) return transport.send(undefined, found.body.value);
  // Made for a replay only: to abort one costs more than all else here.
  let enough: AbortController | undefined;
  try {
    const result = await transport.send(authorization, request.body());
    const replay = await request.answered(transport.facts(result));
    if (replay === undefined) return result;
    // What the server still owes of the first answer is waited for until the second is there, and no longer.
    enough = new AbortController();
    await transport.discard(result, enough.signal);
    const second = await transport.send(replay, await request.again());
    await request.answered(transport.facts(second));
    return second;
  } catch (error) {
    request.dispose(true);
    throw error;
  } finally {
    enough?.abort();
    request.dispose();
  }
}
