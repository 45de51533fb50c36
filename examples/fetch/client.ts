import { createTokenSource, explain401, type TokenSource } from '@unexpired/core';
import { fetchAuth } from '@unexpired/fetch';
import { refreshTokenGrant } from '@unexpired/oauth';

export interface Settings {
  readonly apiUrl: string;
  readonly issuer: string;
  readonly clientId: string;
}

export interface Client {
  readonly tokens: TokenSource;
  /** Rejects with an AccessTokenError where no access token can be had. */
  readonly getJson: (path: string) => Promise<unknown>;
}

export function createClient({ apiUrl, issuer, clientId }: Settings): Client {
  const tokens = createTokenSource({
    origins: [new URL(apiUrl).origin],
    refresh: refreshTokenGrant({ issuer, clientId }),
  });
  const authFetch = fetchAuth(tokens);

  async function getJson(path: string): Promise<unknown> {
    const response = await authFetch(`${apiUrl}${path}`, { signal: AbortSignal.timeout(10_000) });
    if (response.ok) return response.json();
    await response.body?.cancel();
    // Why a 401 could not be cured, where it is one; ERR_REAUTHENTICATION_REQUIRED asks for a sign-in.
    throw explain401(response)?.error ?? new Error(`GET ${path} was answered ${response.status}`);
  }
  return { tokens, getJson };
}
