import { afterEach } from '@jest/globals';
import {
  createTokenSource,
  type AdapterOptions,
  type TokenEvent,
  type TokenSource,
  type TokenSourceOptions,
} from '@unexpired/core';
import { kyAuth } from '@unexpired/ky';
import {
  createAuthorizationServer,
  createResourceServer,
  type AuthorizationServer,
  type FirstTokens,
  type ReceivedRequest,
  type ResourceServer,
} from '@unexpired/testing';
import ky, { type KyInstance, type Options } from 'ky';

const endings: (() => unknown)[] = [];

/** Runs when the test has ended; the last that was given runs first. */
export function afterwards(end: () => unknown): void {
  endings.push(end);
}

afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

export interface SceneOptions {
  readonly source?: Partial<TokenSourceOptions>;
  readonly adapter?: AdapterOptions;
  readonly ky?: Options;
}

export interface Scene {
  readonly authorization: AuthorizationServer;
  /** The listed origin. */
  readonly api: ResourceServer;
  readonly elsewhere: ResourceServer;
  readonly tokens: TokenSource;
  readonly first: FirstTokens;
  readonly events: readonly TokenEvent[];
  /** With the API as its base, retries without a delay, and the adapter. */
  readonly client: KyInstance;
}

/** Two resource servers, a token source that is signed in at an authorization server, and a client. */
export async function openScene(options: SceneOptions = {}): Promise<Scene> {
  const authorization = await createAuthorizationServer();
  afterwards(authorization.close);
  const api = await createResourceServer({ accepts: authorization.isAccessTokenValid });
  afterwards(api.close);
  const elsewhere = await createResourceServer({ accepts: () => true });
  afterwards(elsewhere.close);
  const first = await authorization.signIn();
  const events: TokenEvent[] = [];
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
    onEvent: (event) => void events.push(event),
    ...options.source,
  });
  afterwards(() => tokens.close());
  const client = ky
    .create({ baseUrl: api.origin, retry: { limit: 2, delay: () => 0 }, ...options.ky })
    .extend(kyAuth(tokens, options.adapter));
  return { authorization, api, elsewhere, tokens, first, events, client };
}

/** What a request was rejected with; fails where it was not. */
export function errorOf(request: Promise<unknown>): Promise<Error> {
  return request.then(
    () => {
      throw new Error('The request succeeded.');
    },
    (error: Error) => error,
  );
}

export const statuses = ({ requests }: ResourceServer): unknown[] => requests.map(({ status }) => status);

export const bearerTokens = ({ requests }: ResourceServer): unknown[] =>
  requests.map(({ bearerToken }) => bearerToken);

export const texts = ({ requests }: ResourceServer): string[] => requests.map(({ body }) => body.toString());

/** What a body looked like on the wire. */
export function bodyOf({ headers, body, complete }: ReceivedRequest): object {
  const { 'content-type': type, 'content-length': length, 'transfer-encoding': coding } = headers;
  return { complete, text: body.toString(), type, length, coding };
}

export function reasonsOf(events: readonly TokenEvent[], type: TokenEvent['type']): unknown[] {
  return events
    .filter((event) => event.type === type)
    .map((event) => ('reason' in event ? event.reason : undefined));
}
