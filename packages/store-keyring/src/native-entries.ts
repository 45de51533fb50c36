import { AsyncEntry } from '@napi-rs/keyring';
import { isLocked } from './keyring.ts';

/** Entries of the native module, one for each user of the service. */
export interface NativeEntries {
  /** Runs `call`, once more over a new entry where a known one fails: its connection may be to a keyring that ended. */
  use<T>(user: string, call: (entry: AsyncEntry) => Promise<T>): Promise<T>;
}

/** Without it Linux falls back to a keyring of the kernel, silently, which forgets everything at a restart. */
const PINNED = { linux: { store: 'secret-service' } } as const;

const KEPT = 16;

/** Its user was asked, and once is enough; or it is silent, and a new connection would halt this thread. */
function isFinal(error: unknown): boolean {
  const said = String((error as Error | undefined)?.message);
  return isLocked(said) || /did not receive a reply/i.test(said);
}

export function createNativeEntries(service: string): NativeEntries {
  const kept = new Map<string, AsyncEntry>();
  let made = 0;

  function make(user: string): AsyncEntry {
    made += 1;
    // On Linux each holds a connection until it is collected, and nothing else ends it: a bus has only so many.
    if (made % KEPT === 0) globalThis.gc?.();
    return new AsyncEntry(service, user, PINNED);
  }

  function keep(user: string, entry: AsyncEntry): void {
    kept.set(user, entry);
    const [oldest] = kept.keys();
    if (kept.size > KEPT) kept.delete(oldest!);
  }

  return {
    async use(user, call) {
      const known = kept.get(user);
      kept.delete(user);
      const callOver = async (entry: AsyncEntry): Promise<Awaited<ReturnType<typeof call>>> => {
        const result = await call(entry);
        keep(user, entry);
        return result;
      };
      if (known === undefined) return callOver(make(user));
      try {
        return await callOver(known);
      } catch (error) {
        if (isFinal(error)) throw error;
        return callOver(make(user));
      }
    },
  };
}
