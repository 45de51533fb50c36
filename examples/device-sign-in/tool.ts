import { createTokenSource, explain401, type AccessTokenError } from '@unexpired/core';
import { fetchAuth } from '@unexpired/fetch';
import { refreshTokenGrant } from '@unexpired/oauth';
import { signInWithDevice, type DeviceSignIn } from './device-grant.ts';

export interface ToolSettings extends DeviceSignIn {
  readonly apiUrl: string;
}

export interface Tool {
  /** The work of one command; lets a person sign in first, where nobody is signed in. */
  readonly listReports: () => Promise<unknown>;
}

export function createTool(settings: ToolSettings): Tool {
  const { apiUrl, issuer, clientId } = settings;
  const tokens = createTokenSource({
    origins: [new URL(apiUrl).origin],
    refresh: refreshTokenGrant({ issuer, clientId }),
  });
  const authFetch = fetchAuth(tokens);

  let signingIn: Promise<void> | undefined;

  /** A person is asked once, however many parts of the program wait for it. */
  function signIn(): Promise<void> {
    signingIn ??= signInWithDevice(settings)
      .then((tokenResponse) => tokens.signIn(tokenResponse))
      .finally(() => (signingIn = undefined));
    return signingIn;
  }

  async function ensureSignedIn(): Promise<void> {
    try {
      await tokens.getAccessToken();
    } catch (error) {
      const isSignInNeeded = (error as AccessTokenError).code === 'ERR_REAUTHENTICATION_REQUIRED';
      if (!isSignInNeeded) throw error;
      await signIn();
    }
  }

  return {
    async listReports() {
      await ensureSignedIn();
      const response = await authFetch(`${apiUrl}/reports`, { signal: AbortSignal.timeout(10_000) });
      if (response.ok) return response.json();
      await response.body?.cancel();
      throw explain401(response)?.error ?? new Error(`The reports were answered ${response.status}`);
    },
  };
}
