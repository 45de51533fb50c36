import { createTokenSource, explain401, type TokenSource } from '@unexpired/core';
import { kyAuth } from '@unexpired/ky';
import { refreshTokenGrant } from '@unexpired/oauth';
import ky, { type KyInstance } from 'ky';

export interface Settings {
  readonly apiUrl: string;
  readonly issuer: string;
  readonly clientId: string;
}

export function createClient(settings: Settings): { readonly api: KyInstance; readonly tokens: TokenSource } {
  const { apiUrl, issuer, clientId } = settings;
  const tokens = createTokenSource({
    origins: [new URL(apiUrl).origin],
    refresh: refreshTokenGrant({ issuer, clientId }),
  });
  const api = ky.create({ prefix: apiUrl, timeout: 10_000 }).extend(kyAuth(tokens));
  return { api, tokens };
}

/** Whether a person has to sign in: told before anything is sent, or with the 401 that could not be cured. */
export function isSignInNeeded(error: unknown): boolean {
  const reason = (explain401(error)?.error ?? error) as { readonly code?: unknown } | null | undefined;
  return reason?.code === 'ERR_REAUTHENTICATION_REQUIRED';
}
