import { catchUp } from './catch-up.ts';
import { delay, elapsedMs, instantOf } from './clock.ts';
import { isLeft, type Credential } from './credential.ts';
import { persist, setUnwritten } from './persistence.ts';
import { isBlank, type CredentialRecord } from './record.ts';

/**
 * A store was set back, by a backup or by a program that knows no lock: what it lost is written again, unless somebody
 * else went on meanwhile.
 */
async function writeBack(credential: Credential, stored: CredentialRecord | undefined): Promise<void> {
  const held = credential.snapshot?.record;
  if (credential.unwritten !== undefined || held === undefined || stored === undefined) return;
  const isEarlier = stored.epoch === held.epoch && !isBlank(stored) && stored.generation < held.generation;
  const { code, permanent } = credential.gate?.error ?? {};
  // What was refused for good is no loss, and what is there may be a sign-in.
  const isWorthless = permanent === true && code === 'ERR_REAUTHENTICATION_REQUIRED';
  if (!(isEarlier && !isWorthless) && !isLeft(credential, stored)) return;
  setUnwritten(credential, held, { over: 'parent', expected: stored.revision });
  await persist(credential);
}

/** Brings memory up to what the store says, and the store up to what it lost. */
async function look(credential: Credential): Promise<void> {
  await writeBack(credential, await catchUp(credential));
}

/** One shared look, at most once a second: somebody may have signed in. */
export function lookAgain(credential: Credential): Promise<void> | undefined {
  const now = instantOf(credential.clock);
  if (credential.lastReadAt !== undefined && elapsedMs(credential.lastReadAt, now) < 1000) {
    return credential.reading;
  }
  credential.reading ??= look(credential)
    .then(
      () => undefined,
      () => {
        // What is remembered of the failure is told instead.
        credential.lastReadAt = instantOf(credential.clock);
      },
    )
    .finally(() => {
      credential.reading = undefined;
    });
  return credential.reading;
}

/**
 * Follows what other writers do: hints lead to a read, soon, and not in all processes at once. A hint that comes during
 * a read leads to another one.
 */
export function follow(credential: Credential): () => void {
  const { account, clock, random, store } = credential;
  let hinted = false;
  let reading = false;

  async function read(): Promise<void> {
    reading = true;
    while (hinted) {
      hinted = false;
      await delay(clock, random() * 50);
      try {
        await look(credential);
      } catch {
        // Told when it matters.
      }
    }
    reading = false;
  }

  const onChange = (): void => {
    hinted = true;
    if (!reading) void read();
  };
  try {
    const stop = store.subscribe(account, onChange);
    // Asked, since a store of one's own may be made of async functions.
    return () => void (typeof stop === 'function' && stop());
  } catch {
    // Hints are never relied on.
    return () => undefined;
  }
}
