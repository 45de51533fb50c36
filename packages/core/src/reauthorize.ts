import { acquire, type SourceState } from './acquire.ts';
import { sentOf, type Authorization, type Sent } from './authorization.ts';
import { refusesToken } from './challenge.ts';
import { instantOf } from './clock.ts';
import { emit, type Snapshot } from './credential.ts';
import { isAccessTokenError, type AccessTokenError } from './errors.ts';
import type { NotReplayedReason } from './events.ts';
import { noteReason } from './explain.ts';
import { isUsable } from './lifecycle.ts';
import {
  closedGate,
  closedMs,
  isOnTrial,
  isOriginClosed,
  trialGate,
  carryOver,
  type OriginGates,
} from './origin-gates.ts';
import { originOf } from './origins.ts';

/** What an adapter tells of a response. */
export interface ResponseFacts {
  /** Where it came from after redirects; undefined or empty where the client does not say. */
  readonly url: string | undefined;
  readonly status: number;
  header(name: string): string | null | undefined;
  /** The client's own response or error object: what `explain401` is asked about. */
  readonly native?: object | undefined;
}

export interface ReplayOptions {
  /** Whether the request's body can be sent a second time; a function is asked again once a token is there. */
  readonly replayable: boolean | (() => boolean);
  readonly signal?: AbortSignal | undefined;
  /** As in `authorize`. */
  readonly confinesHeaders?: (() => boolean) | undefined;
}

export interface Reauthorizer extends SourceState {
  readonly refusedStatuses: readonly number[];
  readonly authorizationFor: (snapshot: Snapshot, origin: string) => Authorization;
  readonly fallbackFor: (origin: string, confinesHeaders?: () => boolean) => Authorization | undefined;
}

/** The refused access token and where it was refused; undefined: the response is not ours to answer. */
export function refusalOf(
  { refusedStatuses }: Reauthorizer,
  authorization: Authorization,
  response: ResponseFacts,
): (Sent & { readonly token: string }) | undefined {
  const sent = sentOf(authorization);
  if (sent?.token === undefined || !refusedStatuses.includes(response.status)) return undefined;
  // A redirect's target on another origin never saw our token.
  if (response.url && originOf(response.url) !== sent.origin) return undefined;
  if (response.status === 401 && !refusesToken(response.header('www-authenticate'))) return undefined;
  return sent as Sent & { readonly token: string };
}

/** The 401 is the caller's; the event and `explain401` say why. */
export function handOn(
  state: Reauthorizer,
  sent: Sent,
  why: { reason: NotReplayedReason; error?: AccessTokenError | undefined; native: object | undefined },
): undefined {
  const { credential, means } = state;
  const isFresh = (): boolean =>
    credential.snapshot?.accessToken !== sent.token &&
    isUsable(credential.snapshot, means.timing, instantOf(credential.clock));
  noteReason(why.native, { reason: why.reason, error: why.error, isFresh });
  emit(credential, 'not-replayed', { origin: sent.origin, reason: why.reason });
  return undefined;
}

function closeOrigin({ credential }: Reauthorizer, { origin }: Sent): void {
  const now = instantOf(credential.clock);
  const gate = closedGate(credential.originGates!.get(origin)!, now);
  credential.originGates!.set(origin, gate);
  emit(credential, 'gate-closed', { origin, durationMs: closedMs(gate) });
}

function openOrigin({ credential }: Reauthorizer, { origin }: Sent): void {
  const gate = credential.originGates?.get(origin);
  credential.originGates?.delete(origin);
  if (gate !== undefined && gate.failures > 0) emit(credential, 'gate-opened', { origin });
}

/** Whether an exchange may be forced because this origin refused the token that is held. */
function mayForce(state: Reauthorizer, sent: Sent & { token: string }): boolean {
  const { credential } = state;
  const now = instantOf(credential.clock);
  const gate = credential.originGates?.get(sent.origin);
  if (isOnTrial(gate, sent.token, now)) closeOrigin(state, sent);
  if (isOriginClosed(credential.originGates?.get(sent.origin), sent.token, now)) return false;
  if (gate !== undefined && gate.token !== sent.token) openOrigin(state, sent);
  return true;
}

/** Marks the token refused and takes part in the one forced refresh. */
async function force(
  state: Reauthorizer,
  sent: Sent & { token: string },
  signal?: AbortSignal,
): Promise<Snapshot> {
  const { credential } = state;
  const refused = credential.snapshot!;
  const gates: OriginGates = (credential.originGates ??= new Map());
  refused.refused = true;
  try {
    const snapshot = await acquire(state, { forced: true, signal });
    const { generation } = snapshot.record;
    const gate = gates.get(sent.origin);
    // Many who wait share one exchange: the first of them puts its token on trial.
    if (gate?.generation !== generation) {
      const obtained = { refused: sent.token, obtained: snapshot.accessToken!, generation };
      gates.set(sent.origin, trialGate(gate, obtained, instantOf(credential.clock)));
      carryOver(gates, obtained);
    }
    return snapshot;
  } catch (error) {
    // Nothing is being done about it: the token may be refused here alone.
    const waiting = credential.flight !== undefined;
    if (!waiting && isAccessTokenError(error) && error.code === 'ERR_REFRESH_FAILED') refused.refused = false;
    throw error;
  }
}

function isOther(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && other !== undefined && one !== other;
}

/** A fresh authorization for the one replay, or undefined with the reason noted. */
export async function reauthorize(
  state: Reauthorizer,
  sent: Sent & { token: string },
  { native, replayable, signal, confinesHeaders }: Pick<ResponseFacts, 'native'> & ReplayOptions,
): Promise<Authorization | undefined> {
  const { credential } = state;
  signal?.throwIfAborted();
  const canReplay = (): boolean => (typeof replayable === 'function' ? replayable() : replayable);
  const isCurrent = credential.snapshot?.accessToken === sent.token;
  if (isCurrent && !mayForce(state, sent)) return handOn(state, sent, { reason: 'gate-closed', native });
  // Without a replay nobody waits, and the refresh is not this caller's.
  const isSpent = !canReplay();
  const waiting = isSpent ? undefined : signal;
  const obtaining = isCurrent ? force(state, sent, waiting) : acquire(state, { signal: waiting });
  if (isSpent) {
    obtaining.catch(() => undefined);
    return handOn(state, sent, { reason: 'body-spent', native });
  }
  try {
    const snapshot = await obtaining;
    if (snapshot.accessToken === sent.token) {
      if (isOnTrial(credential.originGates?.get(sent.origin), sent.token, instantOf(credential.clock))) {
        closeOrigin(state, sent);
      }
      return handOn(state, sent, { reason: 'refused-again', native });
    }
    if (!canReplay()) return handOn(state, sent, { reason: 'body-spent', native });
    // Somebody else signed in meanwhile: what was asked for one person is not asked for another.
    if (isOther(sent.subject, snapshot.record.subject))
      return handOn(state, sent, { reason: 'refresh-failed', native });
    emit(credential, 'replayed', { origin: sent.origin });
    return state.authorizationFor(snapshot, sent.origin);
  } catch (error) {
    if (signal?.aborted) throw error;
    const fallback = state.fallbackFor(sent.origin, confinesHeaders);
    if (fallback !== undefined) return fallback;
    return handOn(state, sent, {
      reason: 'refresh-failed',
      error: isAccessTokenError(error) ? error : undefined,
      native,
    });
  }
}

/** What became of a replay: a token that works opens its origin's gate, one that is refused too closes it. */
export function settled(
  state: Reauthorizer,
  authorization: Authorization,
  response: Partial<ResponseFacts> & { readonly status: number },
): void {
  const { url, status, header = () => undefined, native } = response;
  const { originGates, clock } = state.credential;
  const sent = refusalOf(state, authorization, { url, status, header });
  if (sent === undefined) {
    const works = sentOf(authorization);
    const refused = state.refusedStatuses.includes(status);
    if (works && !refused && originGates?.get(works.origin)?.token === works.token) openOrigin(state, works);
    return;
  }
  if (isOnTrial(originGates?.get(sent.origin), sent.token, instantOf(clock))) closeOrigin(state, sent);
  handOn(state, sent, { reason: 'refused-again', native });
}
