import type { TokenStore } from '@unexpired/core';
import { openKeyringStore } from '../src/keyring-store.ts';

interface RaceStoreOptions {
  readonly service: string;
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  readonly limit?: number;
}

/** The store of a process that was not started in the keyring's session. */
export default function openRaceStore({ env, ...order }: RaceStoreOptions): TokenStore {
  Object.assign(process.env, env);
  return openKeyringStore(order);
}
