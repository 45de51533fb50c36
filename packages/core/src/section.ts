import { within } from './clock.ts';
import { runInside } from './context.ts';
import { emit, type Credential } from './credential.ts';
import { AccessTokenError } from './errors.ts';
import { storeError } from './store-access.ts';
import type { ExclusiveSection } from './token-store.ts';

function lockTimeout(account: string, lockMs: number): AccessTokenError {
  return new AccessTokenError(
    'ERR_LOCK_TIMEOUT',
    `Another process has held the lock of account '${account}' for ${lockMs} ms. ` +
      'No refresh token was spent; try again, or find what hangs.',
  );
}

/** Waits for the store to let this process in. Rejects with `ERR_LOCK_TIMEOUT` once it took too long. */
export async function enterSection(
  credential: Credential,
  lockMs: number,
): Promise<NonNullable<Credential['section']>> {
  const waiting = new AbortController();
  const entering = new Promise<NonNullable<Credential['section']>>((resolve, reject) => {
    const stay = (section: ExclusiveSection): Promise<void> =>
      new Promise((leave) => {
        // Too late to be used: let the next one in.
        if (waiting.signal.aborted) leave();
        else resolve({ section, leave });
      });
    runInside(credential.flight, () =>
      credential.store.runExclusive(credential.account, stay, waiting.signal),
    ).catch((error: unknown) => reject(storeError(credential.account, 'lock', error)));
  });
  const onExpiry = (): never => {
    const error = lockTimeout(credential.account, lockMs);
    waiting.abort(error);
    emit(credential, 'lock-contended', {});
    throw error;
  };
  return within(entering, { clock: credential.clock, ms: lockMs, onExpiry });
}
