import { AccessTokenError, type TokenSet } from '@unexpired/core';
import { revocationRequest } from 'oauth4webapi';
import { isObject } from './checks.ts';
import { createClient, type ClientOptions } from './client.ts';
import { reasonOf } from './send.ts';

export interface RevocationOptions extends ClientOptions {
  /** The revocation endpoint itself, in place of `issuer`. */
  readonly revocationEndpoint?: string | URL | undefined;
}

const ENDPOINT = { metadata: 'revocation_endpoint', option: 'revocationEndpoint' } as const;

/** A sign-out waits for this long at most. */
const REVOCATION_MS = 10_000;

/** RFC 6749, section 5.2, and RFC 7009, section 2.2.1. Any other text of a server might repeat a secret. */
const KNOWN_ERRORS = ['invalid_request', 'invalid_client', 'unauthorized_client', 'unsupported_token_type'];

async function refusal(response: Response): Promise<AccessTokenError> {
  const { status } = response;
  const body: unknown = await response.json().catch(() => undefined);
  const error = KNOWN_ERRORS.find((known) => isObject(body) && body['error'] === known);
  const passes = status >= 500 || status === 429 || status === 408;
  const advice = passes ? 'try again later' : 'check the client and the revocation endpoint';
  return new AccessTokenError(
    passes ? 'ERR_REFRESH_FAILED' : 'ERR_MISCONFIGURED',
    `The revocation endpoint answered ${status}${error === undefined ? '' : ` with ${error}`}, so the tokens stay valid; ${advice}.`,
  );
}

function failure(error: unknown): AccessTokenError {
  return error instanceof AccessTokenError
    ? error
    : new AccessTokenError(
        'ERR_REFRESH_FAILED',
        `The revocation endpoint did not answer (${reasonOf(error)}), so the tokens may stay valid; try again later.`,
      );
}

/**
 * Ends tokens at the authorization server (RFC 7009): the refresh token where there is one, else the access token. For
 * the option `revoke` of `createTokenSource`. It waits 10 s at most and rejects with an AccessTokenError unless the
 * answer is 200, which a server also gives for tokens that it does not know.
 */
export function revokeToken(options: RevocationOptions): (tokens: TokenSet) => Promise<void> {
  const { server, identity, authenticate, parameters, request } = createClient(options, ENDPOINT);
  return async ({ access_token: accessToken, refresh_token: refreshToken }) => {
    const token = refreshToken || accessToken;
    if (!token) return;
    const hint = refreshToken ? 'refresh_token' : 'access_token';
    const response = await revocationRequest(await server(), identity, authenticate, token, {
      ...request(AbortSignal.timeout(REVOCATION_MS)),
      additionalParameters: [...parameters, ['token_type_hint', hint]],
    }).catch((error: unknown) => {
      throw failure(error);
    });
    if (response.status !== 200) throw await refusal(response);
    await response.body?.cancel();
  };
}
