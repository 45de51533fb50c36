import type { AuthorizationServer } from 'oauth4webapi';
import { checkUrl } from './checks.ts';
import { discover, type EndpointName } from './discovery.ts';
import type { Send } from './send.ts';

/** Which endpoint is called, and the option that gives it. */
export interface EndpointKind {
  readonly metadata: EndpointName;
  readonly option: 'tokenEndpoint' | 'revocationEndpoint';
}

/** Where the authorization server is said to be; exactly one of both. */
export interface Place {
  readonly issuer?: URL;
  readonly endpoint?: URL;
}

interface PlaceOptions {
  readonly issuer?: unknown;
  readonly tokenEndpoint?: unknown;
  readonly revocationEndpoint?: unknown;
  readonly allowHttp?: boolean | undefined;
}

export function checkPlace(options: PlaceOptions, { option }: EndpointKind): Place {
  const { issuer, allowHttp = false, [option]: endpoint } = options;
  if (issuer === undefined && endpoint === undefined) {
    throw new TypeError(`\`issuer\` or \`${option}\` is required`);
  }
  if (issuer !== undefined && endpoint !== undefined) {
    throw new TypeError(`\`issuer\` and \`${option}\` exclude each other: give one of them`);
  }
  return issuer === undefined
    ? { endpoint: checkUrl(option, endpoint, allowHttp) }
    : { issuer: checkUrl('issuer', issuer, allowHttp) };
}

/** The one answer that is worth keeping is a good one. */
function remember<T>(find: () => Promise<T>): () => Promise<T> {
  let found: Promise<T> | undefined;
  return () => {
    found ??= find().catch((error: unknown) => {
      found = undefined;
      throw error;
    });
    return found;
  };
}

/** Finds the server for each request. It rejects with an AccessTokenError, and then nothing was spent. */
export function finderOf(
  { issuer, endpoint }: Place,
  { metadata }: EndpointKind,
  means: { readonly send: Send; readonly allowHttp: boolean },
): () => Promise<AuthorizationServer> {
  if (issuer !== undefined) return remember(() => discover({ issuer, endpoint: metadata, ...means }));
  const address = endpoint!.href;
  // Without a name of its own it goes by its endpoint (RFC 7523, section 3).
  return async () => ({ issuer: address, [metadata]: address });
}
