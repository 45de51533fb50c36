import { AccessTokenError, checkOptions, invalidOption, type Checks } from '@unexpired/core';
import {
  ClientSecretBasic,
  ClientSecretPost,
  modifyAssertion,
  None,
  PrivateKeyJwt,
  type ClientAuth,
  type CryptoKey,
} from 'oauth4webapi';
import { isObject, TEXT } from './checks.ts';

/** Authentication by a signed assertion (RFC 7523, section 2.2); each attempt signs a new one. */
export interface PrivateKeyAuthentication {
  readonly method: 'private_key_jwt';
  /** A private key that may sign, from `crypto.subtle`. Its algorithm decides that of the assertion. */
  readonly key: CryptoKey;
  /** Tells the authorization server which of the client's keys this is. */
  readonly kid?: string | undefined;
  /**
   * For whom the assertion is, where the authorization server wants another name.
   * @default the issuer that was discovered, or the endpoint that was given
   */
  readonly audience?: string | undefined;
}

/** How the client proves who it is (RFC 6749, section 2.3; RFC 7523). */
export type ClientAuthentication =
  | 'none'
  | 'client_secret_basic'
  | 'client_secret_post'
  | PrivateKeyAuthentication;

export interface ClientCredentials {
  /** Who asks, as registered with the authorization server. */
  readonly clientId: string;
  readonly clientSecret?: string | undefined;
  /** @default 'client_secret_basic' with a secret, else 'none' */
  readonly clientAuthentication?: ClientAuthentication | undefined;
}

const METHODS = ['none', 'client_secret_basic', 'client_secret_post'];

function isSigningKey(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { type, usages } = value;
  return type === 'private' && Array.isArray(usages) && usages.includes('sign');
}

const KEY_CHECKS: Checks = {
  method: ["'private_key_jwt'", (value) => value === 'private_key_jwt'],
  key: ['a private CryptoKey that may sign', isSigningKey],
  kid: TEXT,
  audience: TEXT,
};

/** A string or `{ method: 'private_key_jwt', key }`; throws a TypeError that says which. */
export function checkAuthentication({ clientSecret, clientAuthentication }: ClientCredentials): void {
  const method: unknown = clientAuthentication;
  if (isObject(method)) {
    checkOptions(method, KEY_CHECKS, 'clientAuthentication');
    for (const name of ['method', 'key'] as const) {
      if (method[name] === undefined)
        throw invalidOption(`clientAuthentication.${name}`, KEY_CHECKS[name]![0], undefined);
    }
  } else if (method !== undefined && !METHODS.includes(method as string)) {
    const list = METHODS.map((name) => `'${name}'`).join(', ');
    throw invalidOption('clientAuthentication', `${list} or { method: 'private_key_jwt', key }`, method);
  }
  const wantsSecret = typeof method === 'string' && method !== 'none';
  if (wantsSecret && clientSecret === undefined) {
    throw new TypeError(`\`clientSecret\` is required by \`clientAuthentication: '${method}'\``);
  }
  if (!wantsSecret && method !== undefined && clientSecret !== undefined) {
    const name = method === 'none' ? 'none' : 'private_key_jwt';
    throw new TypeError(
      `\`clientSecret\` is never sent with \`clientAuthentication\` '${name}': leave one of them out`,
    );
  }
}

function methodOf({ clientSecret, clientAuthentication: method }: ClientCredentials): ClientAuth {
  if (typeof method === 'object') {
    const { key, kid, audience } = method;
    const aimed = {
      [modifyAssertion]: (_: unknown, claims: Record<string, unknown>) => void (claims['aud'] = audience),
    };
    return PrivateKeyJwt(kid === undefined ? key : { key, kid }, audience === undefined ? undefined : aimed);
  }
  if (clientSecret === undefined) return None();
  return method === 'client_secret_post' ? ClientSecretPost(clientSecret) : ClientSecretBasic(clientSecret);
}

/** Adds the proof to a request. Where that fails nothing was sent, and no repeat can help. */
export function authenticationOf(credentials: ClientCredentials): ClientAuth {
  const authenticate = methodOf(credentials);
  return async (...request) => {
    try {
      await authenticate(...request);
    } catch (error) {
      const why = error instanceof Error ? error.message : 'unknown';
      throw new AccessTokenError('ERR_MISCONFIGURED', `The client could not be authenticated (${why})`);
    }
  };
}
