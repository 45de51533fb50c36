import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AdapterOptions } from '@unexpired/core';
import { undiciAuth } from '@unexpired/undici';
import { Agent, request, type Dispatcher } from 'undici';
import { Agent as Agent7 } from 'undici-7';
import { afterwards, openWorld, type World, type WorldOptions } from '../../../test/world.ts';

type Interceptor = Dispatcher.DispatcherComposeInterceptor;

export interface SceneOptions extends WorldOptions {
  readonly adapter?: AdapterOptions;
  readonly agent?: Agent.Options;
  /** Given to `compose` before the adapter: nearer to the connection. */
  readonly before?: Interceptor[];
  /** Given to `compose` after the adapter. */
  readonly after?: Interceptor[];
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly trailers: Readonly<Record<string, string>>;
}

export interface Scene extends World {
  /** With the adapter. */
  readonly dispatcher: Dispatcher;
  /** Asks the API, by `request`. */
  readonly send: (
    path: string,
    options?: Partial<Omit<Dispatcher.RequestOptions, 'path'>>,
  ) => Promise<Answer>;
}

/** Closed with the test. */
export function openAgent(options: Agent.Options = {}): Agent {
  const agent = new Agent(options);
  afterwards(() => agent.destroy());
  return agent;
}

/** The same of undici 7, as far as the types of undici 8 know. */
export function openAgent7(options: Agent.Options = {}): Agent {
  const agent = new Agent7(options as object);
  afterwards(() => agent.destroy());
  return agent as unknown as Agent;
}

export async function sendBy(dispatcher: Dispatcher, url: string, options: object = {}): Promise<Answer> {
  const { statusCode: status, headers, trailers, body } = await request(url, { ...options, dispatcher });
  const text = await body.text();
  return { status, text, headers, trailers };
}

export async function openScene(options: SceneOptions = {}): Promise<Scene> {
  const world = await openWorld(options);
  const { before = [], after = [], adapter, agent } = options;
  const dispatcher = openAgent(agent).compose(...before, undiciAuth(world.tokens, adapter), ...after);
  const send: Scene['send'] = (path, own) => sendBy(dispatcher, `${world.api.origin}${path}`, own);
  return { ...world, dispatcher, send };
}

export const redirectTo = (location: string, status = 302) => ({
  respond: { status, headers: { Location: location } },
});

export interface PlainServer {
  readonly origin: string;
  readonly server: Server;
}

/** A server for what the resource server does not do. */
export async function serve(
  answer: (message: IncomingMessage, response: ServerResponse) => unknown,
): Promise<PlainServer> {
  const server = createServer((message, response) => void answer(message, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterwards(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}
