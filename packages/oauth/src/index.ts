export type {
  ClientAuthentication,
  ClientCredentials,
  PrivateKeyAuthentication,
} from './client-authentication.ts';
export type { ClientOptions } from './client.ts';
export type { GrantOptions } from './grants.ts';
export { clientCredentialsGrant, refreshTokenGrant } from './grants.ts';
export type { RevocationOptions } from './revoke-token.ts';
export { revokeToken } from './revoke-token.ts';
