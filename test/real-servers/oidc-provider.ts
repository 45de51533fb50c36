import { createRemoteJWKSet, jwtVerify } from 'jose';
import { RESOURCE, startProvider } from '../../packages/oauth/test/provider.ts';
import type { RealServer } from './server.ts';

const CLIENT = {
  client_id: 'race',
  token_endpoint_auth_method: 'none',
  grant_types: ['refresh_token'],
};

/** Rotates refresh tokens, and ends the grant when a spent one is shown again. */
export async function startOidcProvider(): Promise<RealServer> {
  const provider = await startProvider([CLIENT]);
  const keys = createRemoteJWKSet(new URL(`${provider.issuer}/jwks`));
  const parameters = { client_id: CLIENT.client_id };
  const tokenEndpoint = `${provider.issuer}/token`;
  return {
    tokenEndpoint,
    parameters,
    async signIn() {
      const refreshToken = await provider.signIn(CLIENT.client_id);
      const body = new URLSearchParams({
        ...parameters,
        grant_type: 'refresh_token',
        refresh_token: refreshToken,
      });
      const response = await fetch(tokenEndpoint, { method: 'POST', body });
      return (await response.json()) as Awaited<ReturnType<RealServer['signIn']>>;
    },
    async accepts(accessToken) {
      const { issuer } = provider;
      const isVerified = await jwtVerify(accessToken, keys, { issuer, audience: RESOURCE }).then(
        () => true,
        () => false,
      );
      return isVerified;
    },
    async close() {
      await provider.close();
      if (provider.errors.length > 0) throw new AggregateError(provider.errors, 'oidc-provider failed');
    },
  };
}
