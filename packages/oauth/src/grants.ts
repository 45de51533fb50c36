import { AccessTokenError, type Binding, type Checks, type RefreshFunction } from '@unexpired/core';
import { clientCredentialsGrantRequest, refreshTokenGrantRequest } from 'oauth4webapi';
import { TEXT } from './checks.ts';
import { createClient, type Client, type ClientOptions } from './client.ts';
import type { Place } from './server.ts';

export interface GrantOptions extends ClientOptions {
  /** The token endpoint itself, in place of `issuer`. */
  readonly tokenEndpoint?: string | URL | undefined;
  /**
   * Scopes, separated by spaces. A refresh may ask for less than was granted, never for more (RFC 6749, section 6).
   * @default left to the authorization server
   */
  readonly scope?: string | undefined;
  /** The resource servers that the access token is for, as absolute URIs (RFC 8707). */
  readonly resource?: string | readonly string[] | undefined;
}

// RFC 8707, section 2.
const isResource = (value: unknown): boolean =>
  typeof value === 'string' && URL.parse(value) !== null && !value.includes('#');

const CHECKS: Checks = {
  scope: TEXT,
  resource: [
    'an absolute URI without fragment, or a list of them',
    (value) => (Array.isArray(value) ? value.length > 0 && value.every(isResource) : isResource(value)),
  ],
};

const ENDPOINT = { metadata: 'token_endpoint', option: 'tokenEndpoint' } as const;

function bindingOf({ issuer, endpoint }: Place, clientId: string): Binding {
  if (issuer === undefined) return Object.freeze({ tokenEndpoint: endpoint!.href, clientId });
  // A bare origin is one issuer with and without its slash.
  return Object.freeze({ issuer: issuer.pathname === '/' ? issuer.origin : issuer.href, clientId });
}

function createGrant(options: GrantOptions): Client & { readonly binding: Binding } {
  const client = createClient(options, ENDPOINT, CHECKS);
  const { place, parameters } = client;
  const { clientId, scope, resource = [] } = options;
  if (scope !== undefined) parameters.set('scope', scope);
  for (const uri of [resource].flat()) parameters.append('resource', uri);
  return { ...client, binding: bindingOf(place, clientId) };
}

/**
 * Obtains new tokens for a refresh token (RFC 6749, section 6). Without one it rejects with
 * `ERR_REAUTHENTICATION_REQUIRED` before anything is sent. Redirects are not followed.
 */
export function refreshTokenGrant(options: GrantOptions): RefreshFunction {
  const { server, identity, authenticate, parameters, request, binding, secrets } = createGrant(options);
  const refresh: RefreshFunction = async ({ refreshToken, signal }) => {
    if (!refreshToken) {
      throw new AccessTokenError('ERR_REAUTHENTICATION_REQUIRED', 'There is no refresh token to present', {
        permanent: true,
      });
    }
    return refreshTokenGrantRequest(await server(), identity, authenticate, refreshToken, {
      ...request(signal),
      additionalParameters: parameters,
    });
  };
  return Object.assign(refresh, { binding, secrets });
}

/** Obtains tokens in the client's own name (RFC 6749, section 4.4). Redirects are not followed. */
export function clientCredentialsGrant(options: GrantOptions): RefreshFunction {
  const { server, identity, authenticate, parameters, request, binding, secrets } = createGrant(options);
  const refresh: RefreshFunction = async ({ signal }) =>
    clientCredentialsGrantRequest(await server(), identity, authenticate, parameters, request(signal));
  return Object.assign(refresh, { binding, secrets });
}
