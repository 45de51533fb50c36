import type { Clock } from './clock.ts';
import { createCredential, type Credential } from './credential.ts';
import { isOtherBinding, type Binding } from './record.ts';
import type { TokenStore } from './token-store.ts';

interface Shared {
  readonly credential: Credential;
  sources: number;
}

const registry = new WeakMap<TokenStore, Map<string, Shared>>();

/** The state that all live sources over one account of one store share, and what gives this source's part in it up. */
export function joinCredential(
  store: TokenStore,
  account: string,
  source: { binding: Binding | undefined; clock: Clock; random: () => number },
): { credential: Credential; leave: () => boolean } {
  const accounts = registry.get(store) ?? new Map<string, Shared>();
  const shared = accounts.get(account) ?? {
    credential: createCredential(store, account, source),
    sources: 0,
  };
  const { credential } = shared;
  if (isOtherBinding(credential.binding, source.binding)) {
    throw new TypeError(
      `\`refresh\` must be bound to the same issuer and client as the other source over account '${account}'; ` +
        'use another `account`',
    );
  }
  credential.binding ??= source.binding;
  registry.set(store, accounts.set(account, shared));
  shared.sources += 1;
  return {
    credential,
    /** True for the last one. */
    leave() {
      shared.sources -= 1;
      if (shared.sources > 0) return false;
      if (accounts.get(account) === shared) accounts.delete(account);
      return true;
    },
  };
}
