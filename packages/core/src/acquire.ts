import { instantOf } from './clock.ts';
import { isInside } from './context.ts';
import type { Credential, Flight, Snapshot } from './credential.ts';
import { AccessTokenError, copyOf, isAccessTokenError } from './errors.ts';
import type { Means } from './exchange.ts';
import { startFlight } from './flight.ts';
import { lookAgain } from './follow.ts';
import { remainingMs } from './gate.ts';
import { decide, isClosed, isUsable, type Want } from './lifecycle.ts';
import { patienceOf, unlessAborted, waitFor, type Patience } from './waiting.ts';

/** A source's own settings over the shared state. */
export interface SourceState {
  readonly credential: Credential;
  readonly means: Means;
  /** Reads the store, and writes the seed, once. */
  readonly loaded: () => Promise<void>;
  readonly isLoaded: () => boolean;
  /** The wait under way that others may join. */
  readonly shared: { crowd?: Crowd | undefined };
}

/** One wait for many callers: of 10,000 requests at once, each then holds little. */
interface Crowd {
  readonly snapshot: Promise<Snapshot>;
  /** Nobody joins after this moment of the monotonic clock. */
  readonly until: number;
  /** Ends the wait. */
  readonly leaving: AbortController;
  /** How many wait. */
  size: number;
}

/** Callers that begin to wait within this part of `limits.waitMs` share one wait, and its end. */
const SHARED_WAIT = 1 / 64;

export interface Wish {
  readonly minTtlMs?: number | undefined;
  readonly oneShot?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** A resource server refused the token that is held. */
  readonly forced?: boolean | undefined;
}

const ROUNDS = 4;

export function wantOf({ credential, means }: SourceState, { minTtlMs, oneShot }: Wish): Want {
  const now = instantOf(credential.clock);
  const { timing, limits } = means;
  return { now, timing, minTtlMs, oneShot, patienceMs: limits.waitMs };
}

export function reentered(account: string): AccessTokenError {
  return new AccessTokenError(
    'ERR_MISCONFIGURED',
    `The refresh of account '${account}' waits for itself: its refresh function or store used a guarded client. ` +
      'Use another there, or mark the request with `unexpired: { skip: true }`.',
  );
}

/** The flight under way, or a new one; after the back-off, where there is one. */
export function joinFlight({ credential, means }: SourceState, forced: boolean): Flight {
  if (credential.flight !== undefined) return credential.flight;
  const now = instantOf(credential.clock);
  const { gate, snapshot } = credential;
  const afterMs = isClosed(gate, isUsable(snapshot, means.timing, now), now) ? remainingMs(gate, now) : 0;
  return startFlight(credential, means, { forced, afterMs });
}

/** An error for this caller alone, with the time that its gate, if it closed one, still has. */
function shown({ clock, gate }: Credential, error: AccessTokenError): AccessTokenError {
  const ms = gate?.error === error ? remainingMs(gate, instantOf(clock)) : undefined;
  return copyOf(error, Number.isFinite(ms) ? ms : undefined);
}

/** Waits for the flight; a snapshot is the end, undefined asks to decide anew. */
async function waitForFlight(
  state: SourceState,
  wish: Wish,
  patience: Patience,
): Promise<Snapshot | undefined> {
  const { credential } = state;
  const { timing } = state.means;
  if (isInside(credential.flight)) throw reentered(credential.account);
  const flight = joinFlight(state, wish.forced ?? false);
  try {
    await waitFor(flight.awaited, patience);
  } catch (error) {
    if (wish.signal?.aborted) throw error;
    // What still works is better than an error: only a minimum TTL was not met.
    if (!wish.forced && isUsable(held(credential), timing, instantOf(credential.clock)))
      return held(credential);
    if (!isAccessTokenError(error) || error.code === 'ERR_WAIT_TIMEOUT') throw error;
    throw shown(credential, error);
  }
  const { snapshot } = credential;
  if (snapshot?.accessToken === undefined || snapshot.refused) return undefined;
  // A token from this caller's own exchange is used even if it lives shorter than asked.
  const own = flight.exchanged || isUsable(snapshot, timing, instantOf(credential.clock));
  return own ? snapshot : undefined;
}

/** The access token for one caller: what is held, or what the one shared refresh brings. */
export async function acquire(state: SourceState, wish: Wish): Promise<Snapshot> {
  const { credential, means } = state;
  const patience = patienceOf(credential.clock, means.limits.waitMs, wish.signal);
  wish.signal?.throwIfAborted();
  if (!state.isLoaded()) {
    await waitFor(state.loaded(), patience).catch((error: unknown) => {
      throw isAccessTokenError(error) ? copyOf(error) : error;
    });
  }
  for (let round = 0; round < ROUNDS; round += 1) {
    const decision = decide(held(credential), credential.gate, wantOf(state, wish));
    if (decision === 'fail') {
      const reading = round === 0 ? lookAgain(credential) : undefined;
      if (reading === undefined) throw shown(credential, credential.gate!.error);
      await waitFor(reading, patience);
    } else if (decision === 'wait') {
      const snapshot = await waitForFlight(state, wish, patience);
      if (snapshot !== undefined) return snapshot;
    } else {
      if (decision === 'use-and-refresh') joinFlight(state, false);
      return credential.snapshot!;
    }
  }
  throw new AccessTokenError(
    'ERR_REFRESH_FAILED',
    `Each access token of account '${credential.account}' was refused or replaced as soon as it came. Try again.`,
  );
}

function disperse({ shared }: SourceState, crowd: Crowd): void {
  if (shared.crowd === crowd) shared.crowd = undefined;
  crowd.leaving.abort();
}

function gather(state: SourceState, now: number): Crowd {
  const leaving = new AbortController();
  const snapshot = acquire(state, { signal: leaving.signal });
  const crowd = { snapshot, until: now + state.means.limits.waitMs * SHARED_WAIT, leaving, size: 0 };
  const end = (): void => disperse(state, crowd);
  snapshot.then(end, end);
  return crowd;
}

/** `acquire`, in one wait with others who ask for nothing special. Who is inside of the refresh must not join. */
export function acquireWithOthers(state: SourceState, wish: Wish): Promise<Snapshot> {
  const { credential, shared } = state;
  const want = wantOf(state, wish);
  const decision = decide(held(credential), credential.gate, want);
  // Decided once: most callers find a fresh token.
  if (decision === 'use' && state.isLoaded() && !wish.signal?.aborted)
    return Promise.resolve(credential.snapshot!);
  const isSpecial = wish.minTtlMs !== undefined || wish.oneShot || wish.signal?.aborted;
  const isAlone = isSpecial || isInside(credential) || isInside(credential.flight);
  if (isAlone || decision !== 'wait') return acquire(state, wish);
  const now = want.now.mono;
  if (shared.crowd === undefined || now >= shared.crowd.until) shared.crowd = gather(state, now);
  const { crowd } = shared;
  const { signal } = wish;
  crowd.size += 1;
  return unlessAborted(crowd.snapshot, signal, () => {
    crowd.size -= 1;
    // It would keep the process alive.
    if (crowd.size === 0) disperse(state, crowd);
  });
}

/** Nothing is held where there is no access token. */
export function held(credential: Credential): Snapshot | undefined {
  return credential.snapshot?.accessToken === undefined ? undefined : credential.snapshot;
}
