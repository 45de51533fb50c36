import { generateKeyPairSync } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { TokenResponse } from '@unexpired/core';
// @ts-expect-error The package ships no types.
import { Provider } from 'oidc-provider';
import { createGrantStorage } from '../grant-storage.ts';

export const RESOURCE = 'urn:demo:api';
export const CLIENT_ID = 'demo';
const SCOPE = 'offline_access demo';

/** The part of oidc-provider that is used here. */
export interface OidcProvider {
  readonly Client: { find(id: string): Promise<object> };
  readonly Grant: new (properties: object) => {
    addResourceScope(resource: string, scope: string): void;
    save(): Promise<string>;
  };
  readonly RefreshToken: new (properties: object) => { save(): Promise<string> };
  readonly AccessToken: new (properties: object) => { readonly jti: string; save(): Promise<string> };
  readonly ResourceServer: new (resource: string, info: object) => object;
  callback(): (request: IncomingMessage, response: object) => void;
  on(event: string, listener: (context: TokenContext, error: OidcError) => void): void;
}

export interface TokenContext {
  readonly req: IncomingMessage;
  readonly oidc: { readonly entities: { readonly AccessToken: { readonly jti: string } } };
}

export interface OidcError extends Error {
  readonly error_detail?: string;
}

const resourceServer = { scope: 'demo', audience: RESOURCE, accessTokenFormat: 'jwt' };

/** Access tokens of a few seconds, as JWTs; refresh tokens that rotate, and end their grant when shown again. */
function configuration(lifetimeMs: number): object {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const client = {
    client_id: CLIENT_ID,
    token_endpoint_auth_method: 'none',
    grant_types: ['refresh_token'],
    response_types: [],
    redirect_uris: [],
  };
  return {
    adapter: createGrantStorage(),
    clients: [client],
    cookies: { keys: ['demo'] },
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'demo' }] },
    scopes: SCOPE.split(' '),
    features: {
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => RESOURCE,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({ ...resourceServer, accessTokenTTL: lifetimeMs / 1000 }),
      },
    },
    ttl: { AccessToken: lifetimeMs / 1000, RefreshToken: 3600, Grant: 3600 },
    rotateRefreshToken: true,
    findAccount: (_context: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id }) }),
  };
}

/** `lifetimeMs` is that of access tokens, in whole seconds. */
export function createProvider(issuer: string, lifetimeMs: number): OidcProvider {
  return new Provider(issuer, configuration(lifetimeMs)) as OidcProvider;
}

/** First tokens, minted as if somebody had signed in with a browser. */
export async function mint(
  provider: OidcProvider,
  expiresIn: number,
): Promise<{ readonly id: string; readonly tokens: TokenResponse }> {
  const client = await provider.Client.find(CLIENT_ID);
  const account = { accountId: 'alice', clientId: CLIENT_ID };
  const grant = new provider.Grant(account);
  grant.addResourceScope(RESOURCE, SCOPE);
  const shared = { ...account, client, grantId: await grant.save(), gty: 'authorization_code' };
  const refreshToken = new provider.RefreshToken({ ...shared, scope: SCOPE, resource: RESOURCE });
  const accessToken = new provider.AccessToken({
    ...shared,
    scope: 'demo',
    resourceServer: new provider.ResourceServer(RESOURCE, resourceServer),
    expiresIn,
  });
  const tokens = {
    access_token: await accessToken.save(),
    refresh_token: await refreshToken.save(),
    expires_in: expiresIn,
    token_type: 'Bearer',
  };
  return { id: accessToken.jti, tokens };
}
