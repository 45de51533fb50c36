import { generateKeyPairSync } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
// @ts-expect-error The package ships no types.
import { Provider } from 'oidc-provider';
import { createGrantStorage } from '../grant-storage.ts';
import { listen } from '../scenery.ts';
import { ISSUER, routeFetch } from './route-fetch.ts';

interface AccessToken {
  readonly grantId: string;
  readonly isExpired: boolean;
  destroy(): Promise<void>;
}

/** The part of oidc-provider that is used here. */
interface OidcProvider {
  proxy: boolean;
  readonly AccessToken: {
    find(token: string): Promise<AccessToken | undefined>;
    revokeByGrantId(id: string): Promise<void>;
  };
  readonly Grant: new (properties: object) => { addOIDCScope(scope: string): void; save(): Promise<string> };
  callback(): (request: IncomingMessage, response: ServerResponse) => void;
  on(event: string, listener: (context: unknown, detail: Record<string, unknown>) => void): void;
  interactionDetails(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<{ params: { scope: string } }>;
  interactionFinished(request: IncomingMessage, response: ServerResponse, result: object): Promise<void>;
}

export interface DeviceProvider extends AsyncDisposable {
  readonly issuer: string;
  /** Where it really is, for `routeFetch` in other processes. */
  readonly origin: string;
  /** Holds the next token request; its arrival resolves with what lets it go. */
  readonly holdNextRequest: () => Promise<() => void>;
  /** How each token request ended: `granted`, or the error. */
  readonly outcomes: readonly string[];
  /** Resolves when the next token request has ended. */
  readonly nextOutcome: () => Promise<unknown>;
  readonly isAccessTokenValid: (accessToken: string | undefined) => Promise<boolean>;
  readonly revokeAccessToken: (accessToken: string) => Promise<void>;
  readonly revokeGrantOf: (accessToken: string) => Promise<void>;
}

function configuration(clientId: string, scope: string): object {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const client = {
    client_id: clientId,
    token_endpoint_auth_method: 'none',
    grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
    id_token_signed_response_alg: 'ES256',
    response_types: [],
    redirect_uris: [],
  };
  const page = async (context: { body: string }, form: string): Promise<void> => {
    context.body = form;
  };
  return {
    adapter: createGrantStorage(),
    clients: [client],
    cookies: { keys: ['example'] },
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256', kid: 'example' }] },
    scopes: scope.split(' '),
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true, allowedPolicy: () => true },
      deviceFlow: {
        enabled: true,
        userCodeInputSource: page,
        userCodeConfirmSource: page,
        successSource: (context: { body: string }) => page(context, 'Signed in'),
      },
    },
    interactions: { url: () => '/interaction' },
    issueRefreshToken: async () => true,
    rotateRefreshToken: true,
    ttl: {
      AccessToken: 3600,
      RefreshToken: 86_400,
      Grant: 86_400,
      Session: 86_400,
      DeviceCode: 600,
      Interaction: 600,
    },
    findAccount: (_context: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id }) }),
  };
}

/** Ann, who is at the browser, signs in and agrees to what is asked. */
async function agree(
  provider: OidcProvider,
  clientId: string,
  [request, response]: [IncomingMessage, ServerResponse],
): Promise<void> {
  const { params } = await provider.interactionDetails(request, response);
  const grant = new provider.Grant({ accountId: 'ann', clientId });
  grant.addOIDCScope(params.scope);
  const result = { login: { accountId: 'ann' }, consent: { grantId: await grant.save() } };
  await provider.interactionFinished(request, response, result);
}

/** An oidc-provider with the device authorization grant, whose refresh tokens rotate. */
export async function startProvider(clientId: string, scope: string): Promise<DeviceProvider> {
  const provider = new Provider(ISSUER, configuration(clientId, scope)) as OidcProvider;
  provider.proxy = true;
  const outcomes: string[] = [];
  // Other providers say so in their answer: how often they may be asked.
  provider.on('device_authorization.success', (_context, body) => (body['interval'] = 0.02));
  const ended = new EventEmitter();
  const note = (outcome: string): void => {
    outcomes.push(outcome);
    ended.emit('outcome');
  };
  provider.on('grant.success', () => note('granted'));
  provider.on('grant.error', (_context, error) => note(String(error['error'])));
  provider.on('server_error', (_context, error) => console.error(error));
  const answer = provider.callback();
  let isUp = false;
  let hold: ((release: () => void) => void) | undefined;
  const site = await listen((request, response) => {
    const proceed = (): void => answer(request, response);
    if (request.url === '/interaction') return void agree(provider, clientId, [request, response]);
    if (request.url !== '/token') return proceed();
    // As from a proxy, while what is behind it starts.
    if (!isUp) return void response.writeHead(503).end('<html>', () => (isUp = true));
    if (hold === undefined) return proceed();
    hold(proceed);
    hold = undefined;
  });
  routeFetch(site.origin);
  const find = async (token: string | undefined): Promise<AccessToken | undefined> =>
    token === undefined ? undefined : provider.AccessToken.find(token);
  return {
    issuer: ISSUER,
    origin: site.origin,
    holdNextRequest: () => new Promise((resolve) => (hold = resolve)),
    outcomes,
    nextOutcome: () => once(ended, 'outcome'),
    async isAccessTokenValid(token) {
      const found = await find(token);
      return found !== undefined && !found.isExpired;
    },
    async revokeAccessToken(token) {
      await (await find(token))?.destroy();
    },
    async revokeGrantOf(token) {
      const found = await find(token);
      // The storage forgets all that belongs to the grant, of whatever kind.
      if (found) await provider.AccessToken.revokeByGrantId(found.grantId);
    },
    [Symbol.asyncDispose]: () => site[Symbol.asyncDispose](),
  };
}
