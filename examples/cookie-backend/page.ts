import { createTokenSource } from '@unexpired/core';
import { fetchAuth, type AuthFetch } from '@unexpired/fetch';

export interface PageSettings {
  readonly apiUrl: string;
  /** For instance `() => location.assign('/auth/sign-in')`. */
  readonly onSignInNeeded: () => void;
}

/** The fetch of a page that never sees a refresh token; the access token lives in memory alone. */
export function createPageFetch({ apiUrl, onSignInNeeded }: PageSettings): AuthFetch {
  const tokens = createTokenSource({
    origins: [new URL(apiUrl).origin],
    refresh: ({ signal }) => fetch('/auth/refresh', { method: 'POST', signal }),
    onEvent: ({ type }) => {
      if (type === 'reauthentication-required') onSignInNeeded();
    },
  });
  return fetchAuth(tokens);
}
