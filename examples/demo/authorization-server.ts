import { generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { TokenResponse } from '@unexpired/core';
// @ts-expect-error The package ships no types.
import { Provider } from 'oidc-provider';
import { createDoor, type Door } from './door.ts';
import { createGrantStorage } from './grant-storage.ts';
import { close, listen } from './loopback.ts';
import type { Tally } from './tally.ts';

export const RESOURCE = 'urn:demo:api';
export const CLIENT_ID = 'demo';
/** Also the granularity of the times in a JWT is a second: much shorter lives would say little. */
export const LIFETIME_MS = 3000;
const SCOPE = 'offline_access demo';
/** What a token endpoint behind a network takes. */
const ANSWER_MS = 100;
/**
 * A refresh before this part of the access token's life is over has no reason. It would be `0.7` for unexpired, but a
 * machine that stalls must not look like a broken promise.
 */
const EARLIEST = 0.25;

/** The access token that was issued last. */
export interface IssuedToken {
  readonly id: string;
  readonly generation: number;
  readonly issuedAt: number;
  readonly lifetimeMs: number;
}

export interface AuthorizationServer {
  readonly issuer: string;
  /** Where the token endpoint can be made to fail. */
  readonly door: Door;
  /** What a sign-in would return, without the browser. */
  signIn(lifetimeMs?: number): Promise<TokenResponse>;
  /** An access token that outlives the demo. */
  staticToken(): Promise<string>;
  /** Takes back the newest access token, though its time is not up. */
  revoke(): void;
  isRevoked(id: string): boolean;
  /** Whether the provider ended the grant. */
  isSignedOut(): boolean;
  newest(): IssuedToken;
  close(): Promise<void>;
}

/** The part of oidc-provider that is used here. */
interface OidcProvider {
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

interface TokenContext {
  readonly req: IncomingMessage;
  readonly oidc: { readonly entities: { readonly AccessToken: { readonly jti: string } } };
}

interface OidcError extends Error {
  readonly error_detail?: string;
}

const resourceServer = {
  scope: 'demo',
  audience: RESOURCE,
  accessTokenFormat: 'jwt',
  accessTokenTTL: LIFETIME_MS / 1000,
};

function configuration(): object {
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
        getResourceServerInfo: () => resourceServer,
      },
    },
    ttl: { AccessToken: LIFETIME_MS / 1000, RefreshToken: 3600, Grant: 3600 },
    rotateRefreshToken: true,
    findAccount: (_context: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id }) }),
  };
}

/** First tokens, minted as if somebody had signed in. */
async function mint(provider: OidcProvider, expiresIn: number): Promise<TokenResponse & { id: string }> {
  const client = await provider.Client.find(CLIENT_ID);
  const account = { accountId: 'alice', clientId: CLIENT_ID };
  const grant = new provider.Grant(account);
  grant.addResourceScope(RESOURCE, SCOPE);
  const shared = { ...account, client, grantId: await grant.save(), gty: 'authorization_code', scope: SCOPE };
  const refreshToken = new provider.RefreshToken({ ...shared, resource: RESOURCE });
  const accessToken = new provider.AccessToken({
    ...shared,
    scope: 'demo',
    resourceServer: new provider.ResourceServer(RESOURCE, resourceServer),
    expiresIn,
  });
  return {
    access_token: await accessToken.save(),
    refresh_token: await refreshToken.save(),
    expires_in: expiresIn,
    token_type: 'Bearer',
    id: accessToken.jti,
  };
}

/** An oidc-provider that rotates refresh tokens and ends the grant when a spent one is shown again. */
export async function startAuthorizationServer(tally: Tally): Promise<AuthorizationServer> {
  const server = createServer();
  const issuer = await listen(server);
  const provider = new Provider(issuer, configuration()) as OidcProvider;
  const door = createDoor();
  const revoked = new Set<string>();
  const arrivals = new WeakMap<IncomingMessage, number>();
  let newest: IssuedToken = { id: '', generation: 0, issuedAt: 0, lifetimeMs: 0 };
  let signedOut = false;

  function issue(id: string, issuedAt: number, lifetimeMs: number): void {
    newest = { id, generation: newest.generation + 1, issuedAt, lifetimeMs };
  }

  function countRefresh(arrivedAt: number): void {
    tally.refreshes += 1;
    if (revoked.has(newest.id)) tally.revocations += 1;
    else if (arrivedAt - newest.issuedAt >= EARLIEST * newest.lifetimeMs) tally.expiries += 1;
    else tally.needless += 1;
  }

  provider.on('grant.success', ({ req, oidc }) => {
    const arrivedAt = arrivals.get(req)!;
    countRefresh(arrivedAt);
    issue(oidc.entities.AccessToken.jti, arrivedAt, LIFETIME_MS);
  });
  provider.on('grant.error', (_context, error) => {
    if (error.error_detail === 'refresh token already used') tally.reuses += 1;
  });
  provider.on('grant.revoked', () => (signedOut = true));
  provider.on('server_error', (_context, error) => {
    // Out of the provider's hands: it would answer it as one more failure.
    queueMicrotask(() => {
      throw error;
    });
  });

  const answer = provider.callback();
  server.on('request', (request, response) => {
    if (request.url !== '/token') return answer(request, response);
    tally.exchanges += 1;
    arrivals.set(request, Date.now());
    if (door.admits(response)) setTimeout(() => answer(request, response), ANSWER_MS);
  });

  return {
    issuer,
    door,
    async signIn(lifetimeMs = LIFETIME_MS) {
      const issuedAt = Date.now();
      const { id, ...tokens } = await mint(provider, lifetimeMs / 1000);
      issue(id, issuedAt, lifetimeMs);
      signedOut = false;
      return tokens;
    },
    staticToken: async () => (await mint(provider, 3600)).access_token!,
    revoke: () => void revoked.add(newest.id),
    isRevoked: (id) => revoked.has(id),
    isSignedOut: () => signedOut,
    newest: () => newest,
    close: () => close(server),
  };
}
