import { createTokenSource, type TokenSource } from '@unexpired/core';
import { fetchAuth, type AuthFetch } from '@unexpired/fetch';

export interface PageSettings {
  readonly apiUrl: string;
  /** For instance `() => location.assign('/auth/sign-in')`. */
  readonly onSignInNeeded: () => void;
}

/** The fetch of a page that never sees a refresh token; the access token lives in memory alone. */
export function createPageClient({ apiUrl, onSignInNeeded }: PageSettings): {
  readonly authFetch: AuthFetch;
  readonly tokens: TokenSource;
} {
  const tokens = createTokenSource({
    origins: [new URL(apiUrl).origin],
    // Tells which access token it has, so that another is answered.
    refresh: ({ tokens: held, signal }) =>
      fetch('/auth/refresh', {
        method: 'POST',
        headers: held?.access_token ? { Authorization: `Bearer ${held.access_token}` } : {},
        signal,
      }),
    onEvent: ({ type }) => {
      if (type === 'reauthentication-required') onSignInNeeded();
    },
  });
  return { authFetch: fetchAuth(tokens), tokens };
}
