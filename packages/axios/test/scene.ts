import { Agent, type AgentOptions } from 'node:http';
import { afterEach } from '@jest/globals';
import { axiosAuth } from '@unexpired/axios';
import {
  createTokenSource,
  type AdapterOptions,
  type TokenEvent,
  type TokenSource,
  type TokenSourceOptions,
} from '@unexpired/core';
import {
  createAuthorizationServer,
  createResourceServer,
  type AuthorizationServer,
  type FirstTokens,
  type ResourceServer,
  type ResourceServerOptions,
} from '@unexpired/testing';
import axios, { type AxiosError, type AxiosInstance, type CreateAxiosDefaults } from 'axios';

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

export function keepAliveAgent(options: AgentOptions = {}): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ...options });
  afterwards(() => agent.destroy());
  return agent;
}

export interface SceneOptions {
  readonly source?: Partial<TokenSourceOptions>;
  readonly adapter?: AdapterOptions;
  readonly client?: CreateAxiosDefaults;
  readonly api?: ResourceServerOptions;
}

export interface Scene {
  readonly authorization: AuthorizationServer;
  /** The listed origin. */
  readonly api: ResourceServer;
  readonly first: FirstTokens;
  readonly tokens: TokenSource;
  readonly events: readonly TokenEvent[];
  /** With the API as its base, and the interceptor attached. */
  readonly client: AxiosInstance;
  /** The same without the interceptor. */
  readonly bare: AxiosInstance;
}

export async function openScene(options: SceneOptions = {}): Promise<Scene> {
  const { source, adapter, client: defaults } = options;
  const authorization = await createAuthorizationServer();
  afterwards(authorization.close);
  const api = await serveResource({
    accepts: (token) => authorization.isAccessTokenValid(token),
    ...options.api,
  });
  const first = await authorization.signIn();
  const events: TokenEvent[] = [];
  const tokens = createTokenSource({
    origins: [api.origin],
    tokens: first,
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
    onEvent: (event) => void events.push(event),
    ...source,
  });
  afterwards(() => tokens.close());
  const bare = axios.create({ baseURL: api.origin, ...defaults });
  const client = axios.create({ baseURL: api.origin, ...defaults });
  client.interceptors.request.use(axiosAuth(tokens, adapter));
  return { authorization, api, first, tokens, events, client, bare };
}

/** What a request was rejected with; fails where it was not. */
export function errorOf(request: Promise<unknown>): Promise<AxiosError> {
  return request.then(
    () => {
      throw new Error('The request succeeded.');
    },
    (error: AxiosError) => error,
  );
}

/** Of a Node stream or a web stream. */
export async function textOf(stream: unknown): Promise<string> {
  let text = '';
  for await (const chunk of stream as AsyncIterable<Uint8Array>) text += Buffer.from(chunk).toString();
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
