import type { IncomingHttpHeaders } from 'node:http';
import {
  readClient,
  whyRefused,
  type ClientAuthenticationMethod,
  type ClientClaim,
  type ClientRegistry,
} from './client-authentication.ts';
import type { Answer, TokenEndpointFault } from './fault.ts';
import { grantOf, type Grants } from './grants.ts';
import {
  grantClientCredentials,
  presentRefreshToken,
  type Issued,
  type PresentationOutcome,
} from './rotation.ts';

/** A token response with the names of RFC 6749 section 5.1. */
// Not an interface: those are not assignable to types with an index signature, as token responses often have.
export type IssuedTokens = {
  access_token: string;
  token_type: 'Bearer';
  expires_in: number;
  refresh_in?: number;
  refresh_token?: string;
  scope?: string;
};

/** One showing of a refresh token. */
export interface Presentation {
  /** When it arrived, by the server's clock. */
  readonly at: number;
  readonly refreshToken: string;
  /** Of the refresh token, 1 at sign-in; undefined when it is unknown. */
  readonly generation: number | undefined;
  readonly account: string | undefined;
  readonly outcome: PresentationOutcome;
}

/** One request at the token endpoint, recorded when it had been read; `status` and the outcome follow. */
export interface Exchange {
  /** When it arrived, by the server's clock. */
  readonly at: number;
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly parameters: URLSearchParams;
  readonly grantType: string | undefined;
  readonly clientId: string | undefined;
  readonly clientAuthentication: ClientAuthenticationMethod;
  /** The `jti` of a client assertion. */
  readonly assertionId: string | undefined;
  readonly presentation: Presentation | undefined;
  readonly fault: TokenEndpointFault;
  /** The tokens that the exchange brought, whether or not their answer got through. */
  readonly issued: IssuedTokens | undefined;
  /** Of the answer; undefined while none was begun. */
  readonly status: number | undefined;
}

/** What the endpoint works on. */
export interface TokenEndpoint {
  readonly grants: Grants;
  readonly registry: ClientRegistry;
  readonly refreshIn: number | undefined;
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** An exchange under way. */
export interface OpenExchange extends Writable<Omit<Exchange, 'presentation'>> {
  readonly presentation: Writable<Presentation> | undefined;
  readonly client: ClientClaim;
}

/** What arrived, before anything is done with it. */
export interface TokenRequest {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function openPresentation(grants: Grants, parameters: URLSearchParams): Writable<Presentation> | undefined {
  const refreshToken = parameters.get('refresh_token');
  if (parameters.get('grant_type') !== 'refresh_token' || refreshToken === null) return undefined;
  return {
    at: grants.settings.now(),
    refreshToken,
    generation: grants.refreshTokens.get(refreshToken)?.generation,
    account: grantOf(grants, refreshToken)?.account,
    outcome: 'pending',
  };
}

/** The record of a request that has been read and of which nothing took effect yet. */
export function openExchange(
  { grants }: TokenEndpoint,
  { method, headers, body }: TokenRequest,
  fault: TokenEndpointFault,
): OpenExchange {
  const parameters = new URLSearchParams(body);
  const client = readClient(headers, parameters);
  return {
    at: grants.settings.now(),
    method,
    headers,
    parameters,
    grantType: parameters.get('grant_type') ?? undefined,
    client,
    clientId: client.clientId,
    clientAuthentication: client.method,
    assertionId: client.assertionId,
    presentation: openPresentation(grants, parameters),
    fault,
    issued: undefined,
    status: undefined,
  };
}

/** The refusal of RFC 6749 section 5.2. */
function oauthError(error: string, description: string, status = 400): Answer {
  return {
    status,
    body: { error, error_description: description },
  };
}

export function wireTokens(
  { accessToken, refreshToken, expiresIn, scope }: Issued,
  refreshIn?: number,
): IssuedTokens {
  return {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: expiresIn,
    ...(refreshIn === undefined ? {} : { refresh_in: refreshIn }),
    ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
    ...(scope === undefined ? {} : { scope }),
  };
}

export function refusedClient(client: ClientClaim, reason: string): Answer {
  return {
    ...oauthError('invalid_client', reason, 401),
    headers: client.method === 'basic' ? { 'WWW-Authenticate': 'Basic realm="token endpoint"' } : {},
  };
}

const descriptions: Partial<Record<PresentationOutcome, string>> = {
  reuse: 'The refresh token was used before.',
  dead: 'The grant has been revoked.',
  unknown: 'The refresh token is unknown.',
  'other-client': 'The refresh token belongs to another client.',
  'scope-exceeded': 'The scope exceeds the one that was granted.',
};

function exchangeRefreshToken(
  { grants }: TokenEndpoint,
  { presentation, clientId, parameters }: OpenExchange,
): Issued | Answer {
  if (presentation === undefined)
    return oauthError('invalid_request', 'The refresh_token parameter is missing.');
  const scope = parameters.get('scope') ?? undefined;
  const { outcome, issued } = presentRefreshToken(grants, presentation.refreshToken, { clientId, scope });
  presentation.outcome = outcome;
  const error = outcome === 'scope-exceeded' ? 'invalid_scope' : 'invalid_grant';
  return issued ?? oauthError(error, descriptions[outcome] ?? outcome);
}

function exchangeAny(endpoint: TokenEndpoint, exchange: OpenExchange): Issued | Answer {
  const { grantType, clientId, parameters } = exchange;
  if (grantType === 'refresh_token') return exchangeRefreshToken(endpoint, exchange);
  if (grantType !== 'client_credentials')
    return oauthError('unsupported_grant_type', 'refresh_token and client_credentials are supported.');
  if (clientId === undefined) return oauthError('invalid_request', 'The client is missing.');
  return grantClientCredentials(endpoint.grants, clientId, parameters.get('scope') ?? undefined);
}

function malformed({ method, headers, parameters }: OpenExchange): Answer | undefined {
  if (method !== 'POST') return { status: 405, headers: { Allow: 'POST' } };
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(headers['content-type'] ?? ''))
    return oauthError('invalid_request', 'The body is not application/x-www-form-urlencoded.');
  const names = [...parameters.keys()].filter((name) => name !== 'resource');
  if (new Set(names).size < names.length) return oauthError('invalid_request', 'A parameter came twice.');
  return undefined;
}

/** Why the request is answered before its grant is looked at, or undefined. */
function rejection({ registry }: TokenEndpoint, exchange: OpenExchange): Answer | undefined {
  const answer = malformed(exchange);
  if (answer !== undefined) return answer;
  const reason = whyRefused(exchange.client, registry);
  return reason === undefined ? undefined : refusedClient(exchange.client, reason);
}

/** Lets the exchange take effect and says what the honest answer is. */
export function processExchange(endpoint: TokenEndpoint, exchange: OpenExchange): Answer {
  const rejected = rejection(endpoint, exchange);
  if (rejected !== undefined) {
    if (exchange.presentation !== undefined) exchange.presentation.outcome = 'rejected';
    return rejected;
  }
  const result = exchangeAny(endpoint, exchange);
  if (!('accessToken' in result)) return result;
  exchange.issued = wireTokens(result, endpoint.refreshIn);
  return { body: { ...exchange.issued, ...exchange.fault.change } };
}
