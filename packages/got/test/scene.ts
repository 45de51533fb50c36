import { afterEach } from '@jest/globals';
import {
  createTokenSource,
  type AdapterOptions,
  type TokenEvent,
  type TokenSource,
  type TokenSourceOptions,
} from '@unexpired/core';
import { gotAuth } from '@unexpired/got';
import {
  createAuthorizationServer,
  createResourceServer,
  type AuthorizationServer,
  type FirstTokens,
  type ResourceServer,
} from '@unexpired/testing';
import got, { type ExtendOptions, type Got, type HTTPError, type Request } from 'got';

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
  /** Attached before the adapter. */
  readonly before?: ExtendOptions;
  /** Attached after the adapter. */
  readonly after?: ExtendOptions;
}

export interface Scene {
  readonly authorization: AuthorizationServer;
  /** The listed origin. */
  readonly api: ResourceServer;
  readonly elsewhere: ResourceServer;
  readonly first: FirstTokens;
  readonly tokens: TokenSource;
  readonly events: readonly TokenEvent[];
  /** With the adapter. */
  readonly client: Got;
  /** The same without. */
  readonly bare: Got;
  readonly createSource: (options?: Partial<TokenSourceOptions>) => TokenSource;
}

export async function openScene(options: SceneOptions = {}): Promise<Scene> {
  const authorization = await createAuthorizationServer();
  const api = await createResourceServer({ accepts: (token) => authorization.isAccessTokenValid(token) });
  const elsewhere = await createResourceServer({ accepts: () => true });
  for (const server of [authorization, api, elsewhere]) afterwards(server.close);
  const first = await authorization.signIn();
  const events: TokenEvent[] = [];
  const createSource = (own: Partial<TokenSourceOptions> = {}): TokenSource => {
    const source = createTokenSource({
      origins: [api.origin],
      refresh: ({ refreshToken = '', signal }) =>
        fetch(authorization.tokenEndpoint, {
          method: 'POST',
          body: new URLSearchParams({
            grant_type: 'refresh_token',
            refresh_token: refreshToken,
            client_id: 'test',
          }),
          signal,
        }),
      ...own,
    });
    afterwards(() => source.close());
    return source;
  };
  const onEvent = (event: TokenEvent): void => void events.push(event);
  const tokens = createSource({ tokens: first, onEvent, ...options.source });
  const { before = {}, after = {}, adapter } = options;
  const base: ExtendOptions = { retry: { limit: 0 } };
  const client = got.extend(base, before, gotAuth(tokens, adapter), after) as Got;
  const bare = got.extend(base, before, after) as Got;
  return { authorization, api, elsewhere, first, tokens, events, client, bare, createSource };
}

/** What a request was rejected with; fails where it was not. */
export function errorOf(request: PromiseLike<unknown>): Promise<HTTPError> {
  return Promise.resolve(request).then(
    () => {
      throw new Error('The request succeeded.');
    },
    (error: HTTPError) => error,
  );
}

/** All that a stream gives. */
export async function textOf(stream: Request): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}

export const statuses = ({ requests }: ResourceServer): unknown[] => requests.map(({ status }) => status);

export const bearerTokens = ({ requests }: ResourceServer): unknown[] =>
  requests.map(({ bearerToken }) => bearerToken);

export function reasonsOf(events: readonly TokenEvent[], type: TokenEvent['type']): unknown[] {
  return events
    .filter((event) => event.type === type)
    .map((event) => ('reason' in event ? event.reason : undefined));
}

export const redirectTo = (location: string, status = 302) => ({
  respond: { status, headers: { Location: location } },
});
