import { instantOf, within, type Clock, type Instant } from './clock.ts';
import type { SourceState } from './acquire.ts';
import { catchUp } from './catch-up.ts';
import { closeForGood, emit, install, type Credential, type Flight } from './credential.ts';
import { AccessTokenError } from './errors.ts';
import { giveBack } from './exchange.ts';
import { persist, setUnwritten } from './persistence.ts';
import { newEpoch } from './random.ts';
import { isBlank, refreshTokenOf, signedInRecord, signedOutRecord } from './record.ts';
import type { TokenResponse } from './token-response.ts';

/** How long `flush` and `close` wait for a store. */
const FLUSH_MS = 5000;

/** A new epoch, in memory at once: a flight that began before finds it and discards its own tokens. */
export async function signIn(state: SourceState, response: TokenResponse): Promise<void> {
  const { credential, means } = state;
  const sentAt = instantOf(credential.clock);
  const record = signedInRecord(newEpoch(), response, { sentAt: sentAt.wall, binding: means.binding });
  install(credential, record, sentAt);
  credential.seedIgnored = false;
  setUnwritten(credential, record, { over: 'anything', expected: 'unread' });
  credential.flight?.overtake();
  emit(credential, 'signed-in', {});
  // Nothing is left to read: from here on the store is followed.
  void state.loaded().catch(() => undefined);
  await writeNow(credential, means.bestEffort);
}

async function writeNow(credential: Credential, bestEffort: boolean): Promise<void> {
  try {
    await persist(credential);
  } catch (error) {
    if (!bestEffort) throw error;
  }
}

/** The marker wins over any flight; the refresh token is revoked once nobody can be spending it. */
export async function signOut(state: SourceState, revoke: boolean): Promise<void> {
  const { credential, means } = state;
  // A program that only signs out has not read yet what there is to revoke.
  if (credential.snapshot === undefined) await state.loaded().catch(() => undefined);
  const { flight, snapshot } = credential;
  const tokens = snapshot?.record.tokens;
  const marker = signedOutRecord(newEpoch());
  install(credential, marker);
  closeForGood(credential, 'sign-out');
  flight?.overtake();
  setUnwritten(credential, marker, { over: 'anything', expected: 'unread' });
  emit(credential, 'signed-out', { reason: 'requested' });
  const written = writeNow(credential, means.bestEffort);
  // Its failure is told last.
  written.catch(() => undefined);
  await endOf(flight, credential.clock);
  if (revoke) await giveBack(means, tokens);
  await written;
}

/** The option `tokens`, and when it was given: its lifetime does not wait for the first call. */
export interface Seed {
  readonly response: TokenResponse;
  readonly givenAt: Instant;
}

/** Writes a first token response, only where the store has no record. */
async function sow(
  state: SourceState,
  { response, givenAt }: Seed,
  expected: number | undefined,
): Promise<void> {
  const { credential, means } = state;
  const held = credential.snapshot?.record;
  if (!isBlank(held) || held?.signedOut) {
    const given = response.refresh_token;
    credential.seedIgnored ||= given !== undefined && given !== refreshTokenOf(held);
    return;
  }
  const record = signedInRecord(newEpoch(), response, { sentAt: givenAt.wall, binding: means.binding });
  install(credential, record, givenAt);
  setUnwritten(credential, record, { over: 'nothing', expected });
  // A store that cannot be written shows before the first refresh token is spent.
  await persist(credential).catch(() => undefined);
}

/** The first read of the store, shared by all sources; then this source's seed. */
export async function load(state: SourceState, seed: Seed | undefined): Promise<void> {
  const { credential } = state;
  // A sign-in may have come first; then there is nothing to look for.
  if (credential.snapshot === undefined) {
    credential.loading ??= catchUp(credential).then((stored) => stored?.revision);
  }
  let revision: number | undefined;
  try {
    revision = await credential.loading;
  } catch (error) {
    // The next call reads again.
    credential.loading = undefined;
    throw error;
  }
  if (seed !== undefined) await sow(state, seed, revision);
}

/** A flight ends within its own limits; this only keeps a process alive that waits for it. */
const LONGEST_FLIGHT_MS = 90_000;

async function endOf(flight: Flight | undefined, clock: Clock): Promise<void> {
  if (flight === undefined) return;
  const nothing = (): void => undefined;
  const ended = flight.result.catch(nothing);
  await within(ended, { clock, ms: LONGEST_FLIGHT_MS, onExpiry: nothing, keepAlive: true });
}

/** Waits for a running refresh and for what is to be written, as long as a process that ends can wait. */
export async function flush(credential: Credential): Promise<void> {
  const { account, clock, flight } = credential;
  await endOf(flight, clock);
  const onExpiry = (): never => {
    throw new AccessTokenError(
      'ERR_STORE_FAILED',
      `The store did not take the tokens of account '${account}' within ${FLUSH_MS} ms.`,
    );
  };
  await within(persist(credential), { clock, ms: FLUSH_MS, onExpiry, keepAlive: true });
}
