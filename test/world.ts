import { afterEach } from '@jest/globals';
import {
  createTokenSource,
  type RefreshFunction,
  type TokenEvent,
  type TokenSource,
  type TokenSourceOptions,
} from '@unexpired/core';
import {
  createAuthorizationServer,
  createResourceServer,
  type AuthorizationServer,
  type FirstTokens,
  type ReceivedRequest,
  type ResourceServer,
  type ResourceServerOptions,
} from '@unexpired/testing';

const endings: (() => unknown)[] = [];

/** Runs when the test has ended; the last that was given runs first. */
export function afterwards(end: () => unknown): void {
  endings.push(end);
}

afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

export async function serveResource(options: ResourceServerOptions = {}): Promise<ResourceServer> {
  const server = await createResourceServer(options);
  afterwards(server.close);
  return server;
}

export interface WorldOptions {
  readonly source?: Partial<TokenSourceOptions> | undefined;
  readonly api?: ResourceServerOptions | undefined;
}

export interface World {
  readonly authorization: AuthorizationServer;
  /** The listed origin. It takes valid access tokens only. */
  readonly api: ResourceServer;
  /** Another origin, which takes anything. */
  readonly elsewhere: ResourceServer;
  readonly tokens: TokenSource;
  /** What the source was signed in with. */
  readonly first: FirstTokens;
  readonly events: readonly TokenEvent[];
}

/** Presents the refresh token, as a client that is not confidential does. */
export function refreshAt({ tokenEndpoint }: AuthorizationServer): RefreshFunction {
  return ({ refreshToken = '', signal }) =>
    fetch(tokenEndpoint, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: refreshToken,
        client_id: 'test',
      }),
      signal,
    });
}

/** What the tests of an adapter have around them, until the test has ended. */
export async function openWorld({ source, api: own }: WorldOptions = {}): Promise<World> {
  const authorization = await createAuthorizationServer();
  afterwards(authorization.close);
  const api = await serveResource({ accepts: authorization.isAccessTokenValid, ...own });
  const elsewhere = await serveResource({ accepts: () => true });
  const first = await authorization.signIn();
  const events: TokenEvent[] = [];
  const tokens = createTokenSource({
    origins: [api.origin],
    refresh: refreshAt(authorization),
    tokens: first,
    onEvent: (event) => void events.push(event),
    ...source,
  });
  afterwards(() => tokens.close());
  return { authorization, api, elsewhere, tokens, first, events };
}

/** What a request was rejected with; fails where it was not. */
export function rejectionOf<E extends Error>(request: Promise<unknown>): Promise<E> {
  return request.then(
    () => {
      throw new Error('The request succeeded.');
    },
    (error: E) => error,
  );
}

export function statuses({ requests }: ResourceServer): unknown[] {
  return requests.map(({ status }) => status);
}

export function bearerTokens({ requests }: ResourceServer): unknown[] {
  return requests.map(({ bearerToken }) => bearerToken);
}

export function texts({ requests }: ResourceServer): string[] {
  return requests.map(({ body }) => body.toString());
}

/** What a body looked like on the wire. */
export function bodyOf(request: ReceivedRequest | undefined): object {
  const { headers, body, complete } = request ?? { headers: {}, body: Buffer.alloc(0), complete: false };
  return {
    complete,
    text: body.toString(),
    type: headers['content-type'],
    length: headers['content-length'],
    coding: headers['transfer-encoding'],
  };
}

export function reasonsOf(events: readonly TokenEvent[], type: TokenEvent['type']): unknown[] {
  return events
    .filter((event) => event.type === type)
    .map((event) => ('reason' in event ? event.reason : undefined));
}
