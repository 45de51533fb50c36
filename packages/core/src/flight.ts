import { delay, elapsedMs, instantOf, within, type Instant } from './clock.ts';
import { catchUp, waitForPeer } from './catch-up.ts';
import { claim, clearClaim } from './claim.ts';
import {
  credentialKey,
  emit,
  install,
  isWorking,
  type Credential,
  type Flight,
  type Snapshot,
} from './credential.ts';
import { AccessTokenError, isAccessTokenError } from './errors.ts';
import {
  exchange,
  FailedExchange,
  giveBack,
  inTurn,
  isStillHeld,
  OTHER_SUBJECT,
  type Exchanged,
  type Means,
} from './exchange.ts';
import { errorOf, type Failure } from './failure.ts';
import { gateAfter, remainingMs } from './gate.ts';
import { isClosed } from './lifecycle.ts';
import { leaveIfDone, persist, setUnwritten } from './persistence.ts';
import { newEpoch } from './random.ts';
import {
  blankRecord,
  exchangedRecord,
  isBlank,
  isOfOtherSubject,
  refreshTokenOf,
  type CredentialRecord,
} from './record.ts';
import { secretsOf } from './redaction.ts';
import { enterSection } from './section.ts';
import { storeError } from './store-access.ts';
import { EARLY_MS, mayRepeat } from './suspect.ts';
import { mergeTokens } from './token-response.ts';

const ROUNDS = 5;
/** Callers wait no longer than this for the durable write. */
const DURABLE_MS = 1000;

interface Trip {
  readonly credential: Credential;
  readonly means: Means;
  readonly flight: Flight;
  /** What was held when the flight began: another snapshot is news. */
  readonly began: Snapshot | undefined;
  readonly startedAt: Instant;
  /** The stored record holds a claim whose exchange left no result. */
  readonly interrupted: boolean;
}

/**
 * Memory first, then the store. False: a sign-in or sign-out that came meanwhile wins, and what we got is given back.
 */
async function commit(
  { credential, means }: Trip,
  claimed: CredentialRecord,
  { response, sentAt }: Exchanged,
): Promise<boolean> {
  const next = exchangedRecord(claimed, response, { sentAt: sentAt.wall, binding: means.binding });
  const held = credential.snapshot?.record;
  if (held !== undefined && held.epoch !== claimed.epoch) {
    void giveBack(means, next.tokens);
    return false;
  }
  install(credential, next, sentAt);
  credential.gate = undefined;
  credential.lastError = undefined;
  setUnwritten(credential, next, {
    over: 'parent',
    expected: claimed.revision === 0 ? undefined : claimed.revision,
    giveBack: () => void giveBack(means, next.tokens),
  });
  const durable = persist(credential).catch(() => undefined);
  await within(durable, { clock: credential.clock, ms: DURABLE_MS, onExpiry: () => undefined });
  return true;
}

/** An answer after its attempt was given up: a rotated refresh token is never thrown away while its parent is current. */
async function commitLate(trip: Trip, claimed: CredentialRecord, late: Exchanged): Promise<void> {
  const { credential } = trip;
  const held = credential.snapshot?.record ?? claimed;
  if (held.epoch !== claimed.epoch || held.generation !== claimed.generation) return;
  if (isOfOtherSubject(claimed, late.response)) return;
  if (await commit(trip, claimed, late)) emit(credential, 'refreshed', { forced: false });
}

function isRefusal({ kind }: Failure): boolean {
  return /refused|revoked|disabled|rejected/.test(kind);
}

/** What a person should know of a refresh token that was refused. */
function noteOn({ credential, interrupted }: Trip): string {
  return (
    (interrupted ? ' A previous refresh was interrupted after it may have spent the refresh token.' : '') +
    (credential.seedIgnored
      ? ' The stored record was used, not the option `tokens`; signIn() replaces it.'
      : '')
  );
}

/** Closes the gate after a failed exchange and gives the error for all who wait. */
function fail(trip: Trip, failure: Failure, claimed: CredentialRecord): AccessTokenError {
  const { credential, means } = trip;
  const now = instantOf(credential.clock);
  const secrets = secretsOf(claimed);
  const note = isRefusal(failure) ? noteOn(trip) : '';
  const told = { account: credential.account, secrets, note };
  credential.gate = gateAfter(failure, (judged) => errorOf(judged, told), {
    credential: credentialKey(claimed),
    previous: credential.gate,
    now,
    jitter: credential.random(),
    hold: failure.outcomeUnknown && means.reuse !== 'safe' && isWorking(credential, means.timing, now),
  });
  return credential.gate.error;
}

/** Whether what failed is no longer what is held: a peer was faster, or an answer came late. */
async function isOutdated(
  credential: Credential,
  claimed: CredentialRecord,
  failure: Failure,
): Promise<boolean> {
  if (isRefusal(failure)) {
    // Without a refresh token there was nothing to win.
    if (refreshTokenOf(claimed) !== undefined) await waitForPeer(credential);
    await catchUp(credential);
  }
  return !isStillHeld(credential, claimed);
}

/** Claims and spends the refresh token. False: there is news, look again. */
async function spend(
  trip: Trip,
  base: CredentialRecord,
  stored: CredentialRecord | undefined,
): Promise<boolean> {
  const { credential, flight } = trip;
  const claimed = await claim(trip, base, stored?.revision);
  if (claimed === undefined) return false;
  emit(credential, 'refresh-started', { forced: flight.forced });
  try {
    const onLate = (late: Exchanged): void => void commitLate(trip, claimed, late);
    const exchanged = await exchange({ ...trip, claimed, onLate });
    if (isOfOtherSubject(claimed, exchanged.response)) {
      void giveBack(trip.means, mergeTokens(undefined, exchanged.response));
      throw new FailedExchange(OTHER_SUBJECT);
    }
    if (!(await commit(trip, claimed, exchanged))) return false;
    flight.exchanged = true;
    emit(credential, 'refreshed', { forced: flight.forced });
    return true;
  } catch (error) {
    if (!(error instanceof FailedExchange)) throw error;
    const { failure } = error;
    if (await isOutdated(credential, claimed, failure)) return false;
    if (!failure.outcomeUnknown) await clearClaim(credential, claimed);
    throw fail({ ...trip, interrupted: trip.interrupted || error.interrupted }, failure, claimed);
  }
}

/** Lock, re-read, reconcile, claim, exchange, commit. */
async function refreshInside(trip: Trip): Promise<void> {
  const { credential, means } = trip;
  for (let round = 0; round < ROUNDS; round += 1) {
    const stored = await catchUp(credential);
    const now = instantOf(credential.clock);
    const works = isWorking(credential, means.timing, now);
    if (credential.snapshot !== trip.began && works) return;
    if (isClosed(credential.gate, works, now)) throw credential.gate.error;
    const held = credential.snapshot?.record;
    const base =
      !isBlank(held) && !held!.signedOut ? held! : (stored ?? (credential.blank ??= blankRecord(newEpoch())));
    // A claim is about the refresh token beside it, and says nothing about another one.
    const claimed = refreshTokenOf(stored) === refreshTokenOf(base) ? stored?.claim : undefined;
    if (claimed !== undefined && refreshTokenOf(base) !== undefined) {
      const sinceMs = (credential.section!.section.clock ?? credential.clock).now() - claimed.at;
      const isEarly = sinceMs <= EARLY_MS;
      if (!mayRepeat(means.reuse, { sinceMs, isEarly, tokenWorks: works })) return holdBack(trip, base);
    }
    if (elapsedMs(trip.startedAt, now) >= means.limits.flightMs) break;
    if (
      await inTurn(means.refresh, () => spend({ ...trip, interrupted: claimed !== undefined }, base, stored))
    )
      return;
  }
  throw new AccessTokenError(
    'ERR_STORE_FAILED',
    `The stored record of account '${credential.account}' kept changing. Nothing was lost; try again.`,
  );
}

/** The access token works and its refresh token may be spent: nothing is sent until the token works no more. */
function holdBack(trip: Trip, base: CredentialRecord): void {
  const text = 'an earlier refresh was interrupted and may have spent the refresh token';
  report(trip.credential, fail(trip, { kind: 'transient', outcomeUnknown: true, text, facts: {} }, base));
}

/** While the access token works, a store or lock that fails is not asked again at the rate of the requests. */
function pause(credential: Credential, error: AccessTokenError): void {
  const { gate, snapshot } = credential;
  const now = instantOf(credential.clock);
  if (gate !== undefined && remainingMs(gate, now) > 0) return;
  credential.gate = {
    since: now,
    durationMs: 1000,
    error,
    credential: gate?.credential ?? credentialKey(snapshot?.record),
    failures: gate?.failures ?? 0,
    whileUsable: true,
    refused: gate?.refused ?? false,
  };
}

function report(credential: Credential, error: AccessTokenError): void {
  const { code, retryAfterMs } = error;
  emit(credential, 'refresh-failed', { code, retryAfterMs });
  if (code === 'ERR_REFRESH_REJECTED') emit(credential, 'rejected', { retryAfterMs });
  if (code === 'ERR_REAUTHENTICATION_REQUIRED') emit(credential, 'reauthentication-required', {});
  if (code === 'ERR_ACCOUNT_DISABLED') emit(credential, 'account-disabled', {});
}

function isTransient({ code }: AccessTokenError): boolean {
  return code === 'ERR_REFRESH_FAILED' || code === 'ERR_STORE_FAILED' || code === 'ERR_LOCK_TIMEOUT';
}

/** False: the lock was not to be had, and its holder brought what this flight was for. */
async function entered({ credential, means, began }: Trip): Promise<boolean> {
  try {
    credential.section ??= await enterSection(credential, means.limits.lockMs);
    return true;
  } catch (error) {
    await catchUp(credential).catch(() => undefined);
    if (credential.snapshot === began || !isWorking(credential, means.timing, instantOf(credential.clock)))
      throw error;
    return false;
  }
}

async function fly(trip: Trip, afterMs: number): Promise<void> {
  const { credential } = trip;
  try {
    // Timers may fire a little early; the gate must be open then.
    if (afterMs > 0) await delay(credential.clock, Math.ceil(afterMs) + 1);
    // A lease that was lost while tokens were unwritten is taken anew.
    if (credential.section?.section.signal.aborted) {
      credential.section.leave();
      credential.section = undefined;
    }
    if (!(await entered(trip))) return;
    await refreshInside({ ...trip, startedAt: instantOf(credential.clock) });
  } catch (thrown) {
    const error = isAccessTokenError(thrown) ? thrown : storeError(credential.account, 'use', thrown);
    pause(credential, error);
    if (trip.began !== undefined && isTransient(error)) trip.began.refused = false;
    credential.lastError = error;
    report(credential, error);
    throw error;
  } finally {
    credential.flight = undefined;
    leaveIfDone(credential);
  }
}

/** Starts the one refresh of this credential, after `afterMs` of back-off. */
export function startFlight(
  credential: Credential,
  means: Means,
  { forced, afterMs }: { forced: boolean; afterMs: number },
): Flight {
  const overtaken = Promise.withResolvers<void>();
  const flight: Flight = {
    forced,
    exchanged: false,
    result: Promise.resolve(),
    awaited: Promise.resolve(),
    overtake() {
      overtaken.resolve();
      flight.awaited = flight.result;
    },
  };
  credential.flight = flight;
  const { snapshot: began, clock } = credential;
  const trip = { credential, means, flight, began, startedAt: instantOf(clock), interrupted: false };
  flight.result = fly(trip, afterMs);
  flight.awaited = Promise.race([flight.result, overtaken.promise]);
  // Nobody may be waiting, or all who were may have left.
  flight.result.catch(() => undefined);
  flight.awaited.catch(() => undefined);
  return flight;
}
