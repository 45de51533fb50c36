import type { ServerResponse } from 'node:http';

export interface Outage {
  readonly ms: number;
  /** Ends it after so many refusals, if that is sooner. */
  readonly refusals?: number;
  /** What the 503 says in Retry-After, in seconds. */
  readonly retryAfter?: number;
}

/** The way to the token endpoint, and what can go wrong on it. */
export interface Door {
  /** Resets the connections of the next requests. */
  resetNext(count: number): void;
  /** Answers 503 from the next request on, for a while. */
  failFor(outage: Outage): void;
  /** Whether a request gets through; one that does not was answered, or its connection reset. */
  admits(response: ServerResponse): boolean;
}

export function createDoor(): Door {
  let resets = 0;
  let outage: Outage | undefined;
  let endsAt: number | undefined;
  let refusals = 0;

  function isFailing(): boolean {
    if (outage === undefined) return false;
    endsAt ??= Date.now() + outage.ms;
    if (Date.now() < endsAt && refusals < (outage.refusals ?? Infinity)) return true;
    outage = undefined;
    return false;
  }

  return {
    resetNext(count) {
      resets = count;
    },
    failFor(next) {
      outage = next;
      endsAt = undefined;
      refusals = 0;
    },
    admits(response) {
      if (resets > 0) {
        resets -= 1;
        response.socket?.resetAndDestroy();
        return false;
      }
      if (!isFailing()) return true;
      refusals += 1;
      const { retryAfter } = outage!;
      if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter);
      response.writeHead(503).end();
      return false;
    },
  };
}
