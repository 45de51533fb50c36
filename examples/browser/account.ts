// The library in use: what an application needs is `createAccount`; `watchLock` and `watchedFetch` are for the timeline.
import {
  createTokenSource,
  type TokenEventListener,
  type TokenSource,
  type TokenStore,
} from '@unexpired/core';
import { fetchAuth, type AuthFetch } from '@unexpired/fetch';
import { refreshTokenGrant, revokeToken } from '@unexpired/oauth';
import { createBrowserStore } from '@unexpired/store-browser';
import type { Settings } from './protocol.ts';

export type LockStep = 'asked' | 'held' | 'freed';

export interface Watcher {
  readonly onEvent: TokenEventListener;
  readonly onLock: (step: LockStep) => void;
  /** An attempt was answered 401, whatever becomes of its request. */
  readonly onRefusal: () => void;
}

export interface Account {
  readonly tokens: TokenSource;
  readonly authFetch: AuthFetch;
}

/** The same store, which tells of its lock. */
function watchLock(store: TokenStore, onLock: Watcher['onLock']): TokenStore {
  return {
    ...store,
    async runExclusive(account, task, signal) {
      onLock('asked');
      try {
        return await store.runExclusive(
          account,
          (section) => {
            onLock('held');
            return task(section);
          },
          signal,
        );
      } finally {
        onLock('freed');
      }
    },
  };
}

/** The browser's fetch, which tells of each 401. */
function watchedFetch(onRefusal: Watcher['onRefusal']): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    if (response.status === 401) onRefusal();
    return response;
  };
}

/** All tabs of this origin share one sign-in, by the name of the store. */
export function createAccount(settings: Settings, { onEvent, onLock, onRefusal }: Watcher): Account {
  const clientId = 'page';
  const { api, tokenEndpoint, revocationEndpoint } = settings;
  const tokens = createTokenSource({
    origins: [api],
    refresh: refreshTokenGrant({ tokenEndpoint, clientId }),
    revoke: revokeToken({ revocationEndpoint, clientId }),
    store: watchLock(createBrowserStore({ name: 'demo' }), onLock),
    onEvent,
  });
  return { tokens, authFetch: fetchAuth(tokens, { fetch: watchedFetch(onRefusal) }) };
}
