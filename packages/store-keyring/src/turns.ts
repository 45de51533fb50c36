import { createKeyedMutex } from '@unexpired/core';
import type { Keyring } from './keyring.ts';

/** Asked right before a change of the keyring; a rejection is the change's, which is not made. */
export type MayChange = () => Promise<void>;

const patient = new AbortController().signal;

/** Views of a keyring that is called once at a time: a locked one asks its user for each call that comes. */
export function createTurns(keyring: Keyring): (mayChange: MayChange) => Keyring {
  const mutex = createKeyedMutex();
  const inTurn = <T>(call: () => Promise<T>): Promise<T> => mutex.runExclusive('', call, patient);
  return (mayChange) => ({
    get: (user) => inTurn(() => keyring.get(user)),
    set: (user, secret) => inTurn(() => mayChange().then(() => keyring.set(user, secret))),
    remove: (user) => inTurn(() => mayChange().then(() => keyring.remove(user))),
  });
}
