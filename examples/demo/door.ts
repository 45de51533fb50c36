import type { ServerResponse } from 'node:http';
import type { Tally } from './tally.ts';

export interface Outage {
  /** What it counts as when it strikes. */
  readonly kind: 'shortOutages' | 'longOutages';
  readonly ms: number;
  /** Ends it after so many refusals, if that is sooner. */
  readonly refusals?: number;
  /** Keeps the refusals back until then. */
  readonly heldUntil?: Promise<void>;
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

/** How many requests of one process an outage explains: who asks more often hammers. */
const EXPLAINED = 2;

export function createDoor(tally: Tally, processes: number): Door {
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

  function count({ kind }: Outage): void {
    refusals += 1;
    if (refusals === 1) tally.add(kind);
    if (refusals > EXPLAINED * processes) tally.add('unexplained');
  }

  async function refuse(response: ServerResponse, { heldUntil, retryAfter }: Outage): Promise<void> {
    await heldUntil;
    if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter);
    response.writeHead(503).end();
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
        tally.add('resets');
        response.socket?.resetAndDestroy();
        return false;
      }
      if (!isFailing()) return true;
      count(outage!);
      void refuse(response, outage!);
      return false;
    },
  };
}
