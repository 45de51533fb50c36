import { instantOf, within } from './clock.ts';
import { runInside } from './context.ts';
import type { Credential } from './credential.ts';
import { AccessTokenError, causeOf, factsOf, isAccessTokenError } from './errors.ts';
import { checkRecord, type CredentialRecord } from './record.ts';

export function storeError(account: string, doing: string, error: unknown): AccessTokenError {
  if (isAccessTokenError(error)) return error;
  return new AccessTokenError(
    'ERR_STORE_FAILED',
    `The token store failed to ${doing} account '${account}'. Nothing in memory was lost; repair the store.`,
    { cause: causeOf(factsOf(error)) },
  );
}

/** No call of a store is waited for longer; compare-and-set makes a write that lands later harmless. */
const STORE_MS = 10_000;

/** Runs one call of the store, bounded in time. */
export function callStore<T>(credential: Credential, call: () => T | Promise<T>): Promise<T> {
  const running = (async () => runInside(credential.flight ?? credential, call))();
  const onExpiry = (): never => {
    throw new DOMException('The token store did not answer in time', 'TimeoutError');
  };
  return within(running, { clock: credential.clock, ms: STORE_MS, onExpiry });
}

function note(credential: Credential, record: CredentialRecord | undefined): void {
  credential.revision = Math.max(credential.revision, record?.revision ?? 0);
}

export async function readStored(credential: Credential): Promise<CredentialRecord | undefined> {
  const { account, store } = credential;
  try {
    const record = checkRecord(account, await callStore(credential, () => store.read(account)));
    note(credential, record);
    credential.unreadable = false;
    credential.lastReadAt = instantOf(credential.clock);
    return record;
  } catch (error) {
    credential.unreadable = true;
    throw storeError(account, 'read', error);
  }
}

/** Writes in the order in which they were asked for: one over anything must not arrive after what replaced it. */
export function writeStored(
  credential: Credential,
  record: CredentialRecord,
  expected: number | undefined | 'replace',
): Promise<boolean> {
  const { account, store, writing: before } = credential;
  const write = async (): Promise<boolean> => {
    const written = await callStore(credential, () => store.write(account, record, expected));
    if (written) note(credential, record);
    return written;
  };
  const writing = before === undefined ? write() : before.then(write, write);
  const forget = (): void => {
    if (credential.writing === writing) credential.writing = undefined;
  };
  credential.writing = writing;
  void writing.then(forget, forget);
  return writing;
}
