import type { JsonWebKey } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isSignedBy, readAssertion } from './client-assertion.ts';

/** How a client authenticated at the token endpoint. */
export type ClientAuthenticationMethod = 'none' | 'basic' | 'post' | 'private_key_jwt';

/** A client that the server knows. With neither secret nor key it is a public client. */
export interface RegisteredClient {
  readonly clientId: string;
  /** For basic and post. */
  readonly clientSecret?: string | undefined;
  /** For private_key_jwt with RS256, PS256, ES256 or EdDSA. */
  readonly publicKey?: JsonWebKey | undefined;
}

/** What a request says about its client; nothing of it is proven. */
export interface ClientClaim {
  readonly method: ClientAuthenticationMethod;
  readonly clientId: string | undefined;
  /** A secret or a signed assertion. */
  readonly credential: string | undefined;
  /** The `jti` of the assertion. */
  readonly assertionId: string | undefined;
}

function formDecode(text: string): string {
  return new URLSearchParams(`value=${text.replaceAll('&', '%26')}`).get('value') ?? '';
}

function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Reads the client from a request (RFC 6749 section 2.3.1, RFC 7523 section 2.2). */
export function readClient(headers: IncomingHttpHeaders, parameters: URLSearchParams): ClientClaim {
  const clientId = parameters.get('client_id') ?? undefined;
  const assertion = parameters.get('client_assertion') ?? undefined;
  const secret = parameters.get('client_secret') ?? undefined;
  const basic = /^basic +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
  if (basic !== undefined) {
    const [id = '', password = ''] = Buffer.from(basic, 'base64').toString().split(/:(.*)/s);
    return {
      method: 'basic',
      clientId: formDecode(id),
      credential: formDecode(password),
      assertionId: undefined,
    };
  }
  if (assertion !== undefined) {
    const { sub, jti } = readAssertion(assertion);
    return {
      method: 'private_key_jwt',
      clientId: clientId ?? stringOf(sub),
      credential: assertion,
      assertionId: stringOf(jti),
    };
  }
  const method = secret === undefined ? 'none' : 'post';
  return { method, clientId, credential: secret, assertionId: undefined };
}

/** What the server holds against which a claim is checked. */
export interface ClientRegistry {
  /** Undefined: every client is believed, but an assertion is still good for one use only. */
  readonly clients: readonly RegisteredClient[] | undefined;
  readonly usedAssertions: Set<string>;
  readonly audiences: readonly string[];
  readonly now: () => number;
}

function whyAssertionFails(
  claim: ClientClaim,
  client: RegisteredClient,
  registry: ClientRegistry,
): string | undefined {
  const { iss, sub, aud, exp } = readAssertion(claim.credential ?? '');
  if (iss !== client.clientId || sub !== client.clientId) return 'the assertion names another client';
  if (![aud].flat().some((one) => typeof one === 'string' && registry.audiences.includes(one)))
    return 'the assertion is for another server';
  if (typeof exp !== 'number' || exp * 1000 <= registry.now()) return 'the assertion has expired';
  const isSigned = client.publicKey !== undefined && isSignedBy(claim.credential ?? '', client.publicKey);
  return isSigned ? undefined : 'the assertion is not signed by this client';
}

function whyNotProven(claim: ClientClaim, registry: ClientRegistry): string | undefined {
  if (registry.clients === undefined) return undefined;
  const client = registry.clients.find(({ clientId }) => clientId === claim.clientId);
  if (client === undefined) return 'no such client';
  if (claim.method === 'private_key_jwt') return whyAssertionFails(claim, client, registry);
  if (client.publicKey !== undefined) return 'this client authenticates with an assertion';
  return claim.credential === client.clientSecret ? undefined : 'wrong client secret';
}

/** Why the client is refused, or undefined; a good assertion is used up by this. */
export function whyRefused(claim: ClientClaim, registry: ClientRegistry): string | undefined {
  if (claim.method === 'private_key_jwt') {
    if (claim.assertionId === undefined) return 'the assertion has no jti';
    if (registry.usedAssertions.has(claim.assertionId)) return 'the assertion was presented before';
  }
  const reason = whyNotProven(claim, registry);
  if (reason === undefined && claim.assertionId !== undefined) registry.usedAssertions.add(claim.assertionId);
  return reason;
}
