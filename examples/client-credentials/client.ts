import { createTokenSource, type TokenSource } from '@unexpired/core';
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
export function createServiceClient({ apiUrl, ...client }: Settings): {
  readonly serviceFetch: AuthFetch;
  readonly tokens: TokenSource;
} {
  const tokens = createTokenSource({
    origins: [new URL(apiUrl).origin],
    refresh: clientCredentialsGrant(client),
  });
  return { serviceFetch: fetchAuth(tokens), tokens };
}
