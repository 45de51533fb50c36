import { expect, test } from '@jest/globals';
import type { CredentialRecord } from '@unexpired/core';
import { claimEnds } from '../src/claim-ends.ts';
import { patient, recordOf } from './place.ts';

/** How often the record is looked at until its claim is no longer waited for. */
async function looksOf(madeAt: number, claim: unknown): Promise<number> {
  let looks = 0;
  const read = async (): Promise<CredentialRecord> => {
    looks += 1;
    return recordOf(1, looks === 3 ? {} : { claim: claim as { at: number } });
  };
  await claimEnds(madeAt, read, patient);
  return looks;
}

/** Some seconds ago, with a fraction. */
function ago(ms: number): number {
  return Math.floor((Date.now() - ms) / 1000) * 1000 + 0.5;
}

test.each<[string, number, unknown, number]>([
  [
    'a claim that is older than the lock file is waited for until it is gone',
    ago(2000),
    { at: ago(4000) },
    3,
  ],
  [
    'a claim of the moment in which the lock file was made is waited for',
    ago(2000),
    { at: ago(2000) + 15 },
    3,
  ],
  ['a claim under this lock file is not waited for', ago(2000), { at: ago(2000) + 25 }, 1],
  [
    'where files have whole seconds the claim of the next one is waited for',
    ago(5000) - 0.5,
    { at: ago(5000) + 1500 },
    3,
  ],
  ['a claim that is older than an exchange can be is not waited for', ago(2000), { at: ago(11_000) }, 1],
  ['where the lock file is older than that nothing is looked at', ago(12_000), { at: ago(12_500) }, 0],
  ['where there is no claim there is no waiting', ago(2000), undefined, 1],
  ['a claim that is damaged is not waited for', ago(2000), { at: 'soon' }, 1],
])('%s', async (_, madeAt, claim, looks) => {
  expect(await looksOf(madeAt, claim)).toBe(looks);
});
