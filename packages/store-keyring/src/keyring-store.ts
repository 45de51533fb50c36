import { checkOptions, invalidOption, type CredentialRecord, type TokenStore } from '@unexpired/core';
import { createFileLock } from '@unexpired/store-file';
import { createChangeHints } from './change-hints.ts';
import type { HelperTimes } from './helper-child.ts';
import { createHelper } from './helper.ts';
import type { HelperOrder } from './helper-protocol.ts';
import { directoryOfUser, placeIn } from './place.ts';

export interface KeyringStoreOptions {
  /** The name under which people find the credentials in their keyring; programs that share it share them. */
  readonly service: string;
}

type Read = (account: string) => Promise<CredentialRecord | undefined>;

/** A store that knows of no other in this process. */
export function openKeyringStore(order: HelperOrder, times?: HelperTimes): TokenStore {
  const place = placeIn(order.directory, order.service);
  const helper = createHelper(order, times);
  const sections = createFileLock({ path: place.sectionLock });
  const hints = createChangeHints(place.changed);
  // Core judges it: one that is damaged is an error of this account alone.
  const read: Read = async (account) =>
    (await helper.call({ method: 'read', account })) as CredentialRecord | undefined;
  return {
    read,
    write: async (account, record, expected) =>
      (await helper.call({ method: 'write', account, record, expected: expected ?? null })) === true,
    runExclusive: (account, task, signal) =>
      sections.runExclusive(
        account,
        async (section) => {
          await section.claimEnds(() => read(account), signal);
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
 * @throws AccessTokenError where files cannot be locked on this platform, and in a program that was bundled
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
