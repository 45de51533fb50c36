import { createTokenSource } from '@unexpired/core';
import { fetchAuth, type AuthFetch } from '@unexpired/fetch';
import { clientCredentialsGrant } from '@unexpired/oauth';

export interface Settings {
  readonly apiUrl: string;
  readonly tokenEndpoint: string;
  readonly clientId: string;
  /** From the environment or a secret manager, never from the code. */
  readonly clientSecret: string;
  readonly scope: string;
}

/** A service that calls an API in its own name: nobody signs in, and there is no refresh token. */
export function createServiceFetch({ apiUrl, ...client }: Settings): AuthFetch {
  const tokens = createTokenSource({
    origins: [new URL(apiUrl).origin],
    refresh: clientCredentialsGrant(client),
  });
  return fetchAuth(tokens);
}
