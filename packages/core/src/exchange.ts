import { Semaphore } from 'async-mutex';
import pRetry from 'p-retry';
import { delay, elapsedMs, instantOf, within, type Instant } from './clock.ts';
import { runInside } from './context.ts';
import { isWorking, type Credential, type Flight } from './credential.ts';
import type { Timing } from './expiry.ts';
import type { CodeTable, Failure } from './failure.ts';
import { refreshTokenOf, type Binding, type CredentialRecord } from './record.ts';
import { callRefresh, type Outcome, type RefreshFunction } from './refresh.ts';
import { callStore } from './store-access.ts';
import { EARLY_MS, mayRepeat, type Reuse } from './suspect.ts';
import type { TokenResponse, TokenSet } from './token-response.ts';

/** Time limits and sizes; milliseconds and bytes. */
export interface Limits {
  /**
   * One call of the refresh function; then its `signal` aborts and the outcome counts as unknown.
   * @default 10000
   */
  exchangeMs?: number | undefined;
  /**
   * One refresh with all its attempts, counted from holding the store's lock.
   * @default 30000
   */
  flightMs?: number | undefined;
  /**
   * How long a refresh waits for other processes to leave the store's exclusive section.
   * @default 25000
   */
  lockMs?: number | undefined;
  /**
   * How long one caller waits for a refresh; its own `signal` may end the wait earlier. Callers that begin within a
   * 64th of it wait as one.
   * @default 30000
   */
  waitMs?: number | undefined;
  /**
   * How much of a body that can be read only once is kept for the replay; 0 keeps nothing.
   * @default 1048576
   */
  replayBytes?: number | undefined;
}

/** The settings of the source that starts a flight. */
export interface Means {
  readonly refresh: RefreshFunction;
  readonly timing: Timing;
  readonly revoke: ((tokens: TokenSet) => Promise<void>) | undefined;
  readonly binding: Binding | undefined;
  readonly bestEffort: boolean;
  readonly reuse: Reuse;
  readonly codes: CodeTable;
  readonly limits: { readonly [K in keyof Limits]-?: number };
}

/** Best effort: tokens that cannot be revoked expire by themselves. */
export async function giveBack({ revoke }: Means, tokens: TokenSet | undefined): Promise<void> {
  if (revoke === undefined || tokens === undefined) return;
  try {
    await revoke(tokens);
  } catch {
    // Whatever it throws, the caller is done with these tokens.
  }
}

export interface Exchanged {
  readonly response: TokenResponse;
  readonly sentAt: Instant;
}

/** Carries a judged failure through p-retry. */
export class FailedExchange extends Error {
  readonly failure: Failure;
  /** An earlier attempt ended without an answer and may have spent the refresh token. */
  readonly interrupted: boolean;

  constructor(failure: Failure, interrupted = false) {
    super(failure.text);
    this.failure = failure;
    this.interrupted = interrupted;
  }
}

const ATTEMPTS = 3;
/** A server that asks for a longer wait than this is not waited for within the flight. */
const LONGEST_WAIT_MS = 5000;
const AT_ONCE = 8;
const slots = new WeakMap<RefreshFunction, Semaphore>();

/** At most 8 exchanges at once for each refresh function, first come first served. */
export function inTurn<T>(refresh: RefreshFunction, task: () => Promise<T>): Promise<T> {
  const semaphore = slots.get(refresh) ?? new Semaphore(AT_ONCE);
  slots.set(refresh, semaphore);
  return semaphore.runExclusive(task);
}

/** Lets others have the place that `inTurn` gave, and queues for it again. */
async function outOfTurn(refresh: RefreshFunction, task: () => Promise<void>): Promise<void> {
  const semaphore = slots.get(refresh)!;
  semaphore.release();
  await task();
  await semaphore.acquire();
}

const TIMED_OUT: Failure = {
  kind: 'transient',
  outcomeUnknown: true,
  text: 'the token endpoint did not answer in time',
  facts: { name: 'TimeoutError' },
};

const LOST_SECTION: Failure = {
  kind: 'transient',
  outcomeUnknown: false,
  text: "the store's exclusive section was lost before the refresh token was sent",
  facts: { name: 'AbortError' },
};

export const OTHER_SUBJECT: Failure = {
  kind: 'other-account',
  outcomeUnknown: false,
  text: 'the token response is about another subject and was not used',
  facts: {},
};

export interface ExchangeOrder {
  readonly credential: Credential;
  readonly means: Means;
  readonly flight: Flight;
  readonly claimed: CredentialRecord;
  readonly startedAt: Instant;
  /** What comes after its attempt was given up. */
  readonly onLate: (late: Exchanged) => void;
}

async function isSectionHeld(credential: Credential): Promise<boolean> {
  const { signal, check } = credential.section!.section;
  try {
    if (check !== undefined && !signal.aborted) await callStore(credential, check);
    return !signal.aborted;
  } catch {
    return false;
  }
}

async function attemptOnce(
  { credential, means, flight, claimed, onLate }: ExchangeOrder,
  attempt: number,
): Promise<Outcome> {
  const { clock } = credential;
  if (!(await isSectionHeld(credential))) return { failure: LOST_SECTION };
  const lost = credential.section!.section.signal;
  const stop = new AbortController();
  const onLost = (): void => stop.abort(lost.reason);
  lost.addEventListener('abort', onLost, { once: true });
  const request = {
    refreshToken: refreshTokenOf(claimed),
    tokens: claimed.tokens,
    signal: stop.signal,
    attempt,
  };
  const call = runInside(flight, () => callRefresh(means.refresh, request, { codes: means.codes, clock }));
  const onExpiry = (): Outcome => {
    stop.abort(new DOMException('The token endpoint did not answer in time', 'TimeoutError'));
    void call.then((outcome) => {
      if ('response' in outcome) onLate(outcome);
    });
    return { failure: TIMED_OUT };
  };
  try {
    return await within(call, { clock, ms: means.limits.exchangeMs, onExpiry });
  } finally {
    lost.removeEventListener('abort', onLost);
  }
}

/** An attempt that surely spent nothing does not tell what became of one whose answer was lost. */
function failedAfter(failure: Failure, interrupted: boolean): FailedExchange {
  const isVerdict = failure.kind !== 'transient' && failure.kind !== 'throttled';
  const outcomeUnknown = failure.outcomeUnknown || (interrupted && !isVerdict);
  return new FailedExchange({ ...failure, outcomeUnknown }, interrupted);
}

/** Whether the flight has time for another attempt, and the refresh token may be shown again. */
function mayTryAgain(
  { credential, means, startedAt }: ExchangeOrder,
  { outcomeUnknown }: Failure,
  attempt: number,
): boolean {
  const now = instantOf(credential.clock);
  const sinceMs = elapsedMs(startedAt, now);
  if (sinceMs >= means.limits.flightMs) return false;
  const tokenWorks = isWorking(credential, means.timing, now);
  return !outcomeUnknown || mayRepeat(means.reuse, { sinceMs, isEarly: attempt === 1, tokenWorks });
}

/** How long to wait before the next attempt; undefined: there is none in this flight. */
function nextDelayMs(order: ExchangeOrder, failure: Failure, attempt: number): number | undefined {
  const { credential, means, startedAt } = order;
  const { kind, outcomeUnknown, retryAfterMs = 0 } = failure;
  if (kind !== 'transient' && kind !== 'throttled') return undefined;
  if (!mayTryAgain(order, failure, attempt)) return undefined;
  const now = instantOf(credential.clock);
  const isBrief = outcomeUnknown && isWorking(credential, means.timing, now);
  const backOff = credential.random() * 500 * 2 ** (attempt - 1);
  const ms = Math.max(isBrief ? Math.min(backOff, EARLY_MS) : backOff, retryAfterMs);
  const isTooLate = elapsedMs(startedAt, now) + ms >= means.limits.flightMs;
  return ms > LONGEST_WAIT_MS || isTooLate ? undefined : ms;
}

/** Whether what is being spent is what is held: no late answer and no sign-in replaced it meanwhile. */
export function isStillHeld({ snapshot }: Credential, claimed: CredentialRecord): boolean {
  const { epoch, generation } = snapshot?.record ?? claimed;
  return epoch === claimed.epoch && generation === claimed.generation;
}

/** Spends the refresh token: up to three attempts, as far as each failure allows. Rejects with a FailedExchange. */
export function exchange(order: ExchangeOrder): Promise<Exchanged> {
  let interrupted = false;
  return pRetry(
    async (attempt) => {
      const outcome = await attemptOnce(order, attempt);
      if (!('failure' in outcome)) return outcome;
      const error = failedAfter(outcome.failure, interrupted);
      interrupted = error.failure.outcomeUnknown;
      throw error;
    },
    {
      retries: ATTEMPTS - 1,
      // The delays are the injected clock's.
      minTimeout: 0,
      async shouldRetry({ error, attemptNumber: attempt }) {
        if (!(error instanceof FailedExchange)) return false;
        const ms = nextDelayMs(order, error.failure, attempt);
        if (ms === undefined) return false;
        // Accounts whose refreshes hang must not keep the others waiting for all of their attempts.
        await outOfTurn(order.means.refresh, () => delay(order.credential.clock, ms));
        return mayTryAgain(order, error.failure, attempt) && isStillHeld(order.credential, order.claimed);
      },
    },
  );
}
