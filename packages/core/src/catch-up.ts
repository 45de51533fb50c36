import { within } from './clock.ts';
import { closeForGood, emit, install, isLeft, type Credential } from './credential.ts';
import { AccessTokenError } from './errors.ts';
import { isBlank, reconcile, type CredentialRecord } from './record.ts';
import { readStored } from './store-access.ts';

export function adopt(credential: Credential, record: CredentialRecord): void {
  credential.seen = true;
  const before = credential.snapshot;
  install(credential, record);
  // What was still to be written is older than what others wrote.
  if (credential.unwritten?.record.epoch !== record.epoch) credential.unwritten?.giveBack?.();
  credential.unwritten = undefined;
  if (record.signedOut) {
    closeForGood(credential, 'sign-out');
    emit(credential, 'signed-out', { reason: 'elsewhere' });
  } else if (before !== undefined) {
    emit(credential, 'adopted', {});
  }
  credential.flight?.overtake();
}

/** Brings memory up to what the store says, and returns what is stored. */
export async function catchUp(credential: Credential): Promise<CredentialRecord | undefined> {
  const { snapshot } = credential;
  const stored = await readStored(credential);
  // A sign-in or sign-out came meanwhile: what was read is older.
  if (credential.snapshot?.record.epoch !== snapshot?.record.epoch) return catchUp(credential);
  // A sign-in or sign-out that is not written yet wins over anything that is.
  if (credential.unwritten?.over === 'anything') return stored;
  const reading = reconcile(stored, credential.snapshot?.record, credential.binding);
  switch (isLeft(credential, stored) ? 'keep' : reading) {
    case 'adopt':
      adopt(credential, stored!);
      break;
    case 'vanished':
      // Whether it is there still, what is being written finds out by itself.
      if (!credential.seen || credential.unwritten !== undefined) break;
      // It was read before there were tokens that are written by now.
      if (credential.snapshot !== snapshot) return catchUp(credential);
      credential.seen = false;
      closeForGood(credential, 'vanished');
      emit(credential, 'signed-out', { reason: 'vanished' });
      break;
    case 'other-account':
      throw new AccessTokenError(
        'ERR_ACCOUNT_MISMATCH',
        `The stored credential of account '${credential.account}' belongs to another issuer, client or subject. ` +
          'Nothing was sent; use another account name, or sign in again.',
      );
    case 'keep':
      if (isBlank(stored) || credential.seen) break;
      credential.seen = true;
      // A record that vanished is back.
      if (credential.gate?.error.code === 'ERR_REAUTHENTICATION_REQUIRED' && credential.gate.failures === 0) {
        credential.gate = undefined;
      }
  }
  return stored;
}

/** After a refusal, a peer that won the race gets this long to store its tokens. */
const PEER_MS = 1000;

export async function waitForPeer({ account, clock, store }: Credential): Promise<void> {
  let stop: (() => void) | undefined;
  try {
    const changed = new Promise<void>((resolve) => {
      stop = store.subscribe(account, resolve);
    });
    if (stop !== undefined) await within(changed, { clock, ms: PEER_MS, onExpiry: () => undefined });
  } catch {
    // Hints are never relied on.
  } finally {
    if (typeof stop === 'function') stop();
  }
}
