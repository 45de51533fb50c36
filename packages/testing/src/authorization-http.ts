import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Arrivals } from './arrivals.ts';
import { assertionAlgorithms } from './client-assertion.ts';
import { readClient, whyRefused } from './client-authentication.ts';
import { answerCors } from './cors.ts';
import type { Answer, HeaderFields, TokenEndpointFault } from './fault.ts';
import { endGrant, revoke } from './grants.ts';
import { readBody } from './loopback.ts';
import type { Script } from './script.ts';
import { sendAnswer } from './send-answer.ts';
import {
  openExchange,
  processExchange,
  refusedClient,
  type Exchange,
  type OpenExchange,
  type Presentation,
  type TokenEndpoint,
} from './token-endpoint.ts';

/** Everything one server remembers. */
export interface AuthorizationState {
  readonly issuer: string;
  readonly cors: boolean;
  readonly endpoint: TokenEndpoint;
  readonly exchanges: Arrivals<Exchange>;
  readonly presentations: Presentation[];
  readonly revocations: string[];
  readonly script: Script<TokenEndpointFault>;
  metadataRequests: number;
}

export function tokenEndpointOf(issuer: string): string {
  return `${issuer}/token`;
}

export function revocationEndpointOf(issuer: string): string {
  return `${issuer}/revoke`;
}

/** The headers that the server's clock and the fault add. */
function headersOf({ headers, dateOffsetMs = 0, retryAfter }: TokenEndpointFault, at: number): HeaderFields {
  const dateIn = (ms: number): string => new Date(at + ms).toUTCString();
  const wait = retryAfter?.seconds ?? 0;
  return {
    'Cache-Control': 'no-store',
    Date: dateIn(dateOffsetMs),
    ...(retryAfter && { 'Retry-After': retryAfter.as === 'date' ? dateIn(wait * 1000) : String(wait) }),
    ...headers,
  };
}

function ignore({ presentation }: OpenExchange): void {
  if (presentation !== undefined) presentation.outcome = 'ignored';
}

function takeEffect({ endpoint }: AuthorizationState, exchange: OpenExchange): Answer {
  const { respond, takesEffect = false } = exchange.fault;
  if (respond === undefined) return processExchange(endpoint, exchange);
  if (takesEffect) processExchange(endpoint, exchange);
  else ignore(exchange);
  return respond;
}

async function serveToken(
  state: AuthorizationState,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readBody(request);
  if (body === undefined) return;
  const { endpoint, script, exchanges, presentations } = state;
  const { method = '', headers } = request;
  const exchange = openExchange(endpoint, { method, headers, body: body.toString() }, script.take() ?? {});
  if (exchange.presentation !== undefined) presentations.push(exchange.presentation);
  exchanges.add(exchange);
  const fault = { ...exchange.fault, headers: headersOf(exchange.fault, endpoint.grants.settings.now()) };
  const released = fault.hold === undefined ? undefined : script.hold();
  if (fault.hold === 'request') await released;
  if (fault.reset === 'request') {
    ignore(exchange);
    response.destroy();
    return;
  }
  await sendAnswer(takeEffect(state, exchange), { fault, released, response, record: exchange });
}

function revokeToken({ endpoint: { grants } }: AuthorizationState, token: string): void {
  const accessToken = grants.accessTokens.get(token);
  if (accessToken !== undefined) revoke([accessToken]);
  const refreshToken = grants.refreshTokens.get(token);
  if (refreshToken !== undefined) endGrant(refreshToken.grant);
}

/** RFC 7009: an unknown token is no error. */
async function serveRevocation(
  state: AuthorizationState,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readBody(request);
  if (body === undefined) return;
  const parameters = new URLSearchParams(body.toString());
  const client = readClient(request.headers, parameters);
  const reason = whyRefused(client, state.endpoint.registry);
  const token = parameters.get('token') ?? '';
  if (reason === undefined) {
    state.revocations.push(token);
    revokeToken(state, token);
  }
  await answerPlainly(reason === undefined ? { status: 200 } : refusedClient(client, reason), response);
}

/** RFC 8414. */
function metadataOf(issuer: string): Record<string, unknown> {
  return {
    issuer,
    token_endpoint: tokenEndpointOf(issuer),
    revocation_endpoint: revocationEndpointOf(issuer),
    response_types_supported: [],
    grant_types_supported: ['refresh_token', 'client_credentials'],
    token_endpoint_auth_methods_supported: [
      'none',
      'client_secret_basic',
      'client_secret_post',
      'private_key_jwt',
    ],
    token_endpoint_auth_signing_alg_values_supported: assertionAlgorithms,
  };
}

function answerPlainly(answer: Answer, response: ServerResponse): Promise<void> {
  return sendAnswer(answer, { fault: {}, released: undefined, response, record: { status: undefined } });
}

/** Routes one request. */
export async function serveAuthorization(
  state: AuthorizationState,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (state.cors && answerCors(request, response)) return;
  const { pathname } = new URL(request.url ?? '/', state.issuer);
  if (pathname === '/token') return serveToken(state, request, response);
  if (pathname === '/revoke') return serveRevocation(state, request, response);
  if (/^\/\.well-known\/(oauth-authorization-server|openid-configuration)$/.test(pathname)) {
    state.metadataRequests += 1;
    return answerPlainly({ body: metadataOf(state.issuer) }, response);
  }
  return answerPlainly({ status: 404 }, response);
}
