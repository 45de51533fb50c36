import type { CredentialRecord } from '@unexpired/core';
import { pause } from './pause.ts';

/** As long as one exchange may take: whoever lost its lock meanwhile sends no refresh token after that. */
const EXCHANGE_MS = 10_000;
const LOOK_AGAIN_MS = 20;

/** By how much the time of a file may lag behind the clock that claims are made by: a tick of the system. */
export const LAG_MS = 20;
/** The same on file systems that know no fractions of a second. */
const COARSE_LAG_MS = 2000;

/**
 * Where the lock file was made after the stored claim, that claim's holder may have lost another lock file and be
 * spending the refresh token: waits until it has, or is too late to.
 */
export async function claimEnds(
  madeAt: number,
  read: () => PromiseLike<CredentialRecord | undefined>,
  signal: AbortSignal,
): Promise<void> {
  const madeBy = madeAt + (madeAt % 1000 === 0 ? COARSE_LAG_MS : LAG_MS);
  const mayBeSent = (at: number): boolean => at <= madeBy && Date.now() - at < EXCHANGE_MS;
  // Once the lock file is older than any exchange, so is each claim that was there before it.
  while (mayBeSent(madeBy) && mayBeSent(Number((await read())?.claim?.at))) {
    await pause(LOOK_AGAIN_MS, { signal, keepAlive: false });
  }
}
