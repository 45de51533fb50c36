import { setTimeout } from 'node:timers/promises';
import { checkOptions, invalidOption, type CredentialRecord, type TokenStore } from '@unexpired/core';
import { createFileLock } from '@unexpired/store-file';
import { createChangeHints } from './change-hints.ts';
import { createHelper, type HelperTimes } from './helper.ts';
import type { HelperOrder } from './helper-protocol.ts';
import { directoryOfUser, placeIn } from './place.ts';

export interface KeyringStoreOptions {
  /** The name under which people find the credentials in their keyring; programs that share it share them. */
  readonly service: string;
}

type Read = (account: string) => Promise<CredentialRecord | undefined>;

/** As long as one exchange may take: whoever lost its lock meanwhile sends no refresh token after that. */
const EXCHANGE_MS = 10_000;
const LOOK_AGAIN_MS = 50;

/** Where the lock file was removed, its holder may be spending the refresh token: until it has, its claim is stored. */
async function claimEnds(read: Read, account: string, signal: AbortSignal): Promise<void> {
  const claimOf = async (): Promise<string | undefined> => {
    const record = await read(account);
    return record?.claim === undefined ? undefined : JSON.stringify([record.epoch, record.revision]);
  };
  const until = performance.now() + EXCHANGE_MS;
  const found = await claimOf();
  while (found !== undefined && performance.now() < until && (await claimOf()) === found) {
    signal.throwIfAborted();
    await setTimeout(LOOK_AGAIN_MS);
  }
}

/** A store that knows of no other in this process. */
export function openKeyringStore(order: HelperOrder, times?: HelperTimes): TokenStore {
  const place = placeIn(order.directory, order.service);
  const helper = createHelper(order, times);
  const sections = createFileLock({ path: place.sectionLock });
  const hints = createChangeHints(place.changed);
  // Core judges it: one that is damaged is an error of this account alone.
  const read: Read = async (account) =>
    ((await helper.call({ method: 'read', account })) as CredentialRecord | null | undefined) ?? undefined;
  return {
    read,
    write: async (account, record, expected) =>
      (await helper.call({ method: 'write', account, record, expected: expected ?? null })) === true,
    runExclusive: (account, task, signal) =>
      sections.runExclusive(
        account,
        async (section) => {
          if (section.isNew) await claimEnds(read, account, signal);
          return task(section);
        },
        signal,
      ),
    subscribe: (_account, onChange) => hints.listen(onChange),
  };
}

const CHECKS = {
  service: [
    'a string that is not empty and has no null character',
    (value: unknown) => typeof value === 'string' && /^[^\0]+$/.test(value),
  ],
} as const;

const stores = new Map<string, WeakRef<TokenStore>>();

/**
 * Keeps credentials in the operating system's keyring, which all processes of its user share. The same service gives
 * the same store.
 *
 * @throws TypeError that names the option, what was expected, and what came
 * @throws AccessTokenError where files cannot be locked on this platform
 */
export function createKeyringStore(options: KeyringStoreOptions): TokenStore {
  checkOptions(options, CHECKS);
  const { service } = options;
  if ((service as string | undefined) === undefined)
    throw invalidOption('service', CHECKS.service[0], service);
  const store = stores.get(service)?.deref() ?? openKeyringStore({ service, directory: directoryOfUser() });
  stores.set(service, new WeakRef(store));
  return store;
}
