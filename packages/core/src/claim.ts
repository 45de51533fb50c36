import { emit, type Credential } from './credential.ts';
import type { Means } from './exchange.ts';
import { isBlank, type CredentialRecord } from './record.ts';
import { storeError, writeStored } from './store-access.ts';

/** Writes the claim; undefined where another writer was faster. */
export async function claim(
  { credential, means }: { readonly credential: Credential; readonly means: Means },
  base: CredentialRecord,
  expected: number | undefined,
): Promise<CredentialRecord | undefined> {
  const { account, unwritten } = credential;
  const clock = credential.section!.section.clock ?? credential.clock;
  const claimed = { ...base, revision: credential.revision + 1, claim: { at: clock.now() } };
  try {
    if (!(await writeStored(credential, claimed, expected))) return undefined;
  } catch (error) {
    emit(credential, 'persist-failed', { during: 'claim' });
    if (!means.bestEffort) throw storeError(account, 'write', error);
    return { ...base, revision: expected ?? 0 };
  }
  credential.seen ||= !isBlank(base);
  // The claim carried with it what an earlier commit could not write.
  if (unwritten !== undefined && unwritten === credential.unwritten && unwritten.record === base) {
    credential.unwritten = undefined;
    emit(credential, 'persisted', {});
  }
  return claimed;
}

/** Best effort: a claim that stays only makes the next refresh careful. */
export async function clearClaim(credential: Credential, claimed: CredentialRecord): Promise<void> {
  const cleared = { ...claimed, revision: claimed.revision + 1, claim: undefined };
  try {
    await writeStored(credential, cleared, claimed.revision);
  } catch {
    // It stays.
  }
}
