import { createTokenSource, type TokenSource, type TokenSourceOptions } from '@unexpired/core';
import {
  createAuthorizationServer,
  createResourceServer,
  type AuthorizationServer,
  type FirstTokens,
  type ReceivedRequest,
  type ResourceServer,
} from '@unexpired/testing';

export interface Scene {
  readonly authorization: AuthorizationServer;
  /** The listed origin. */
  readonly api: ResourceServer;
  readonly elsewhere: ResourceServer;
  readonly tokens: TokenSource;
  readonly first: FirstTokens;
  close(): Promise<void>;
}

/** Two resource servers, and a token source that is signed in at an authorization server. */
export async function createScene(options: Partial<TokenSourceOptions> = {}): Promise<Scene> {
  const authorization = await createAuthorizationServer();
  const api = await createResourceServer({ accepts: authorization.isAccessTokenValid });
  const elsewhere = await createResourceServer({ accepts: () => true });
  const first = await authorization.signIn();
  const tokens = createTokenSource({
    origins: [api.origin],
    refresh: ({ refreshToken = '', signal }) =>
      fetch(authorization.tokenEndpoint, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'refresh_token',
          refresh_token: refreshToken,
          client_id: 'cli',
        }),
        signal,
      }),
    tokens: first,
    ...options,
  });
  return {
    authorization,
    api,
    elsewhere,
    tokens,
    first,
    async close() {
      await tokens.close();
      await Promise.all([authorization.close(), api.close(), elsewhere.close()]);
    },
  };
}

export function statuses({ requests }: ResourceServer): unknown[] {
  return requests.map(({ status }) => status);
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
