import { adopt } from './catch-up.ts';
import { delay } from './clock.ts';
import { closeForGood, emit, isLeft, type Credential, type Unwritten } from './credential.ts';
import { isBlank, isSameGrant, reconcile, resolveConflict, type CredentialRecord } from './record.ts';
import { readStored, storeError, writeStored } from './store-access.ts';

const ROUNDS = 5;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 60_000;
const MOMENT_MS = 20;

/** Ends the exclusive section unless a flight runs in it or tokens are still to be written. */
export function leaveIfDone(credential: Credential): void {
  if (credential.flight !== undefined || credential.unwritten !== undefined) return;
  credential.section?.leave();
  credential.section = undefined;
}

function nextRevision({ clock, revision }: Credential, expected: number | undefined | 'replace'): number {
  // Over what could not be read: higher than any count, so that no earlier claim can match it.
  return Math.max(expected === 'replace' ? clock.now() : 0, revision + 1);
}

/** The revision to write over, or what must not be written over: tokens by first tokens, and what has landed already. */
async function expectedRevision(
  credential: Credential,
  { record, expected, over }: Unwritten,
): Promise<number | undefined | 'replace' | { readonly found: CredentialRecord }> {
  if (expected !== 'unread') return expected;
  try {
    const stored = await readStored(credential);
    const stands = stored?.epoch === record.epoch || (over === 'nothing' && !isBlank(stored));
    return stands ? { found: stored! } : stored?.revision;
  } catch (error) {
    // Only what a person or the application decided is written over something that cannot be read.
    if (over === 'anything') return 'replace';
    throw error;
  }
}

function yieldTo(credential: Credential, stored: CredentialRecord | undefined): void {
  const ours = credential.unwritten?.record;
  // The stored record of somebody else stays theirs, and the access token in memory is used to its end.
  const isForeign = reconcile(stored, ours, credential.binding) === 'other-account';
  if (isForeign || (ours?.signedOut && isBlank(stored))) {
    credential.unwritten = undefined;
  } else if (isBlank(stored)) {
    credential.unwritten = undefined;
    credential.seen = false;
    closeForGood(credential, 'vanished');
    emit(credential, 'signed-out', { reason: 'vanished' });
  } else {
    adopt(credential, stored!);
  }
}

function settle(credential: Credential): void {
  credential.seen = true;
  credential.unwritten = undefined;
  emit(credential, 'persisted', {});
}

/** An earlier write landed though its answer was lost, and others may have gone on from there. */
function settleLanded(credential: Credential, stored: CredentialRecord): void {
  settle(credential);
  if (reconcile(stored, credential.snapshot?.record, credential.binding) === 'adopt')
    adopt(credential, stored);
}

/** Programs that replace a file may remove it first: a record that is gone for a moment is not removed. */
async function readTwice(credential: Credential): Promise<CredentialRecord | undefined> {
  const stored = await readStored(credential);
  if (stored !== undefined) return stored;
  await delay(credential.clock, MOMENT_MS);
  return readStored(credential);
}

async function writeOnce(credential: Credential, unwritten: Unwritten): Promise<void> {
  const superseded = (): boolean => credential.unwritten !== unwritten;
  for (let round = 0; round < ROUNDS; round += 1) {
    const expected = await expectedRevision(credential, unwritten);
    if (superseded()) return;
    if (typeof expected === 'object') {
      const hasLanded = expected.found.epoch === unwritten.record.epoch;
      return (hasLanded ? settleLanded : yieldTo)(credential, expected.found);
    }
    const record = { ...unwritten.record, revision: nextRevision(credential, expected) };
    const written = await writeStored(credential, record, expected);
    if (written) {
      credential.seen = true;
      if (!superseded()) settle(credential);
      return;
    }
    if (unwritten.over !== 'parent') {
      unwritten.expected = 'unread';
      continue;
    }
    const stored = await readTwice(credential);
    if (superseded()) return;
    // Landed already, perhaps with another writer's claim on it.
    if (isSameGrant(stored, unwritten.record)) return settle(credential);
    const yields = !isLeft(credential, stored) && resolveConflict(stored, unwritten.record) === 'theirs';
    if (yields) return yieldTo(credential, stored);
    unwritten.expected = stored?.revision;
  }
  throw new Error('the record kept changing');
}

/** One attempt to come, however often one is asked for meanwhile. */
function retryLater(credential: Credential, unwritten: Unwritten): void {
  if (unwritten.isDue) return;
  unwritten.isDue = true;
  const ms = Math.min(FIRST_RETRY_MS * 2 ** (unwritten.failures - 1), LONGEST_RETRY_MS);
  credential.clock.setTimer(() => {
    unwritten.isDue = false;
    if (credential.unwritten === unwritten) void persist(credential).catch(() => undefined);
  }, ms);
}

async function write(credential: Credential, unwritten: Unwritten): Promise<void> {
  try {
    await writeOnce(credential, unwritten);
  } catch (error) {
    if (credential.unwritten !== unwritten) return;
    unwritten.failures += 1;
    if (unwritten.failures === 1) emit(credential, 'persist-failed', { during: 'commit' });
    retryLater(credential, unwritten);
    throw storeError(credential.account, 'write', error);
  } finally {
    unwritten.writing = undefined;
    leaveIfDone(credential);
  }
}

/**
 * Writes what the store does not have yet. Rejects with `ERR_STORE_FAILED` where this attempt failed: what is in memory
 * stays in use, the source is dirty, and attempts go on until one succeeds.
 */
export function persist(credential: Credential): Promise<void> {
  const { unwritten } = credential;
  if (unwritten === undefined) return Promise.resolve();
  unwritten.writing ??= write(credential, unwritten);
  return unwritten.writing;
}

/** What is to be written from now on, in place of anything that was. */
export function setUnwritten(
  credential: Credential,
  record: CredentialRecord,
  how: Pick<Unwritten, 'over' | 'expected' | 'giveBack'>,
): void {
  credential.unwritten = { record, ...how, writing: undefined, failures: 0, isDue: false };
}
