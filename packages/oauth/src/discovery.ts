import { AccessTokenError } from '@unexpired/core';
import {
  allowInsecureRequests,
  customFetch,
  discoveryRequest,
  PARSE_ERROR,
  processDiscoveryResponse,
  RESPONSE_IS_NOT_JSON,
  type AuthorizationServer,
} from 'oauth4webapi';
import { isObject, isSafe } from './checks.ts';
import { reasonOf, type Send } from './send.ts';

export type EndpointName = 'token_endpoint' | 'revocation_endpoint';

export interface DiscoveryOrder {
  readonly issuer: URL;
  readonly endpoint: EndpointName;
  readonly send: Send;
  readonly allowHttp: boolean;
}

/** Well below the time one exchange has, so that a metadata address that hangs is never taken for a token endpoint. */
const DISCOVERY_MS = 5000;

/** Nothing was spent: a failed discovery is never an unknown outcome of an exchange. */
function unavailable({ href }: URL, why: string): AccessTokenError {
  return new AccessTokenError(
    'ERR_REFRESH_FAILED',
    `The metadata of the authorization server ${href} could not be had (${why}); no token was sent`,
  );
}

function wrong({ href }: URL, what: string): AccessTokenError {
  return new AccessTokenError(
    'ERR_MISCONFIGURED',
    `The metadata of the authorization server ${href} ${what}`,
  );
}

/** OpenID Connect Discovery first, RFC 8414 where there is none. */
async function fetchMetadata({ issuer, send }: DiscoveryOrder): Promise<Response> {
  const signal = AbortSignal.timeout(DISCOVERY_MS);
  const request = (algorithm: 'oidc' | 'oauth2'): Promise<Response> =>
    discoveryRequest(issuer, { algorithm, signal, [customFetch]: send, [allowInsecureRequests]: true });
  try {
    const response = await request('oidc');
    if (response.status < 400 || response.status >= 500) return response;
    await response.body?.cancel();
    return await request('oauth2');
  } catch (error) {
    throw unavailable(issuer, reasonOf(error));
  }
}

async function refuse(issuer: URL, { status, body }: Response): Promise<never> {
  await body?.cancel();
  if (status === 404 || status === 410) throw wrong(issuer, 'are not published; set the endpoint itself');
  const isRedirect = status < 200 || (status >= 300 && status < 400);
  if (isRedirect)
    throw wrong(issuer, 'lie behind a redirect, which is not followed; set `issuer` to where it leads');
  throw unavailable(issuer, `status ${status}`);
}

async function readMetadata(issuer: URL, response: Response): Promise<AuthorizationServer> {
  try {
    return await processDiscoveryResponse(issuer, response);
  } catch (error) {
    const { code, cause } = error as { code?: unknown; cause?: { body?: unknown } };
    if (code === PARSE_ERROR || code === RESPONSE_IS_NOT_JSON)
      throw unavailable(issuer, 'the answer is not JSON');
    const named = isObject(cause?.body) ? cause.body['issuer'] : undefined;
    // As a URL, since any other text of a server could hold anything.
    const href = typeof named === 'string' ? URL.parse(named)?.href : undefined;
    const other = href === undefined ? 'no valid issuer' : `the issuer ${href}`;
    throw wrong(issuer, `name ${other}; set \`issuer\` to what they name, or set the endpoint itself`);
  }
}

/** The authorization server by its metadata, with an endpoint that secrets may be sent to. */
export async function discover(order: DiscoveryOrder): Promise<AuthorizationServer> {
  const { issuer, endpoint, allowHttp } = order;
  const response = await fetchMetadata(order);
  if (response.status !== 200) return refuse(issuer, response);
  const metadata = await readMetadata(issuer, response);
  const address: unknown = metadata[endpoint];
  const url = typeof address === 'string' ? URL.parse(address) : null;
  if (url === null) throw wrong(issuer, `name no ${endpoint}`);
  // As for the option in its place; fetch would refuse it only after the refresh token was claimed.
  if (url.username !== '' || url.password !== '' || url.hash !== '')
    throw wrong(issuer, `name a ${endpoint} with a user or fragment`);
  const isDowngrade = issuer.protocol === 'https:' && url.protocol !== 'https:';
  if (isDowngrade || !isSafe(url, allowHttp)) throw wrong(issuer, `name a ${endpoint} that is not https`);
  return { issuer: metadata.issuer, [endpoint]: url.href };
}
