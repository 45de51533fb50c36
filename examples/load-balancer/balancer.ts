import { AccessTokenError, createTokenSource, explain401 } from '@unexpired/core';
import type { Health, TokenResponse, TokenStore } from '@unexpired/core';
import { fetchAuth } from '@unexpired/fetch';
import { refreshTokenGrant } from '@unexpired/oauth';

export interface BalancerSettings {
  readonly apiUrl: string;
  readonly tokenEndpoint: string;
  readonly clientId: string;
  readonly accounts: readonly string[];
  readonly store: TokenStore;
}

export interface Balancer {
  /** A GET in the name of the next account that can; rejects where none can, or as the request does. */
  readonly getJson: (path: string) => Promise<{ readonly account: string; readonly answer: unknown }>;
  readonly signIn: (account: string, tokenResponse: TokenResponse) => Promise<void>;
  readonly health: () => Readonly<Record<string, Health>>;
  readonly close: () => Promise<void>;
}

export function createBalancer(settings: BalancerSettings): Balancer {
  const { apiUrl, tokenEndpoint, clientId, accounts, store } = settings;
  // One function for all: no more than 8 exchanges run at once.
  const refresh = refreshTokenGrant({ tokenEndpoint, clientId });
  const origins = [new URL(apiUrl).origin];
  const members = accounts.map((account) => {
    const tokens = createTokenSource({ origins, refresh, store, account });
    return { account, tokens, authFetch: fetchAuth(tokens) };
  });
  let turn = 0;

  /** All that can be used now, another one first each time. Nothing is kept of who failed: `status()` knows. */
  function usable(): typeof members {
    const ready = members.filter(({ tokens }) => tokens.status().health === 'ok');
    turn += 1;
    const first = turn % Math.max(1, ready.length);
    return [...ready.slice(first), ...ready.slice(0, first)];
  }

  function health(): Record<string, Health> {
    return Object.fromEntries(members.map(({ account, tokens }) => [account, tokens.status().health]));
  }

  return {
    async getJson(path) {
      for (const { account, authFetch } of usable()) {
        try {
          const signal = AbortSignal.timeout(10_000);
          const response = await authFetch(`${apiUrl}${path}`, { signal });
          if (response.ok) return { account, answer: await response.json() };
          await response.body?.cancel();
          throw explain401(response)?.error ?? new Error(`GET ${path} was answered ${response.status}`);
        } catch (error) {
          // The account's trouble, in which nothing was done in its name; any other is the request's.
          if (!(error instanceof AccessTokenError)) throw error;
        }
      }
      throw new Error(`No account can be used: ${JSON.stringify(health())}`);
    },
    async signIn(account, tokenResponse) {
      await members.find((member) => member.account === account)!.tokens.signIn(tokenResponse);
    },
    health,
    async close() {
      await Promise.all(members.map(({ tokens }) => tokens.close()));
    },
  };
}
