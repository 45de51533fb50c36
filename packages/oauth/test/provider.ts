import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
// @ts-expect-error The package ships no types.
import { Provider } from 'oidc-provider';

/** The part of oidc-provider that is used here. */
interface OidcProvider {
  readonly Client: { find(id: string): Promise<object> };
  readonly Grant: new (properties: object) => {
    addOIDCScope(scope: string): void;
    addResourceScope(resource: string, scope: string): void;
    save(): Promise<string>;
  };
  readonly RefreshToken: new (properties: object) => { save(): Promise<string> };
  callback(): (request: IncomingMessage, response: object) => void;
  on(event: string, listener: (context: unknown, error: Error) => void): void;
}

export const RESOURCE = 'https://api.example.com/v1';
const SCOPE = 'openid offline_access read write';

export interface RunningProvider {
  readonly issuer: string;
  /** What went wrong inside of it; nothing should. */
  readonly errors: readonly Error[];
  /** A first refresh token, without a browser. */
  signIn(clientId: string): Promise<string>;
  close(): Promise<void>;
}

function configuration(clients: readonly object[]): object {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const resourceServer = { scope: 'read write', accessTokenFormat: 'jwt', accessTokenTTL: 3600 };
  return {
    clients: clients.map((client) => ({ redirect_uris: [], response_types: [], ...client })),
    cookies: { keys: ['test'] },
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 's1' }] },
    scopes: SCOPE.split(' '),
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      revocation: { enabled: true, allowedPolicy: () => true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => RESOURCE,
        useGrantedResource: () => true,
        getResourceServerInfo: () => resourceServer,
      },
    },
    ttl: { AccessToken: 3600, ClientCredentials: 3600, RefreshToken: 3600, Grant: 3600, IdToken: 3600 },
    rotateRefreshToken: true,
    findAccount: (_context: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id }) }),
  };
}

async function mint(provider: OidcProvider, clientId: string): Promise<string> {
  const client = await provider.Client.find(clientId);
  const grant = new provider.Grant({ accountId: 'alice', clientId });
  grant.addOIDCScope('openid offline_access');
  grant.addResourceScope(RESOURCE, 'read write');
  const grantId = await grant.save();
  const shared = { accountId: 'alice', gty: 'authorization_code', scope: SCOPE, resource: RESOURCE };
  return new provider.RefreshToken({ ...shared, client, grantId }).save();
}

function createProvider(issuer: string, clients: readonly object[]): OidcProvider {
  const original = globalThis.structuredClone;
  // Copies that belong to Node's own realm, and not to the test's, are no plain objects to oidc-provider.
  globalThis.structuredClone = <T>(value: T) => JSON.parse(JSON.stringify(value)) as T;
  try {
    return new Provider(issuer, configuration(clients)) as OidcProvider;
  } finally {
    globalThis.structuredClone = original;
  }
}

/** An oidc-provider on loopback that rotates refresh tokens and ends the grant when a spent one is shown again. */
export async function startProvider(clients: readonly object[]): Promise<RunningProvider> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = createProvider(issuer, clients);
  const errors: Error[] = [];
  provider.on('server_error', (_, error) => errors.push(error));
  server.on('request', provider.callback());
  return {
    issuer,
    errors,
    signIn: (clientId) => mint(provider, clientId),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
