import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mock } from 'node:test';
import type { TokenSource } from '@unexpired/core';
import {
  createAuthorizationServer,
  createResourceServer,
  type AuthorizationServer,
  type AuthorizationServerOptions,
  type ResourceServer,
  type ResourceServerOptions,
} from '@unexpired/testing';
import { tell } from './tell.ts';

export const HOUR_MS = 3_600_000;

// The clock of the whole process, servers included: it stands still unless `passTime` moves it.
mock.timers.enable({ apis: ['Date'], now: Date.now() });

/** Moves the wall clock on, as it moves for a machine that slept. Nobody waits. */
export function passTime(ms: number): void {
  mock.timers.tick(ms);
}

export interface Servers extends AsyncDisposable {
  readonly authorizationServer: AuthorizationServer;
  readonly apiServer: ResourceServer;
}

/** An authorization server that punishes reuse, with access tokens of one hour, and an API that believes it alone. */
export async function startServers(
  options: {
    readonly authorizationServer?: AuthorizationServerOptions;
    readonly apiServer?: ResourceServerOptions;
  } = {},
): Promise<Servers> {
  const authorizationServer = await createAuthorizationServer(options.authorizationServer);
  const accepts = authorizationServer.isAccessTokenValid;
  const apiServer = await createResourceServer({ accepts, ...options.apiServer });
  return {
    authorizationServer,
    apiServer,
    async [Symbol.asyncDispose]() {
      await Promise.all([authorizationServer.close(), apiServer.close()]);
    },
  };
}

export interface Site extends AsyncDisposable {
  readonly origin: string;
  readonly server: Server;
}

/** Serves an app on a free loopback port. */
export async function listen(app?: RequestListener): Promise<Site> {
  const server = createServer(app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    server,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** The statuses that the API answered since it was last asked. */
export function createStatusReader({ requests }: ResourceServer): () => (number | undefined)[] {
  let read = 0;
  return () => {
    const fresh = requests.slice(read).map(({ status }) => status);
    read = requests.length;
    return fresh;
  };
}

export { tell };

export interface ClientStory extends Servers {
  readonly tokens: TokenSource;
  /** One request by the client; resolves with what the API answered. */
  readonly call: () => Promise<unknown>;
  readonly isSignInNeeded: (error: unknown) => boolean;
}

const FIVE = Array.from({ length: 5 });

/** What any client has to stand: five callers when the token expired, when it was revoked, and when the grant ended. */
export async function tellClientStory(story: ClientStory): Promise<void> {
  const { authorizationServer, apiServer, tokens, call, isSignInNeeded } = story;
  const statuses = createStatusReader(apiServer);
  const callAll = async (): Promise<void> => {
    for (const answer of await Promise.all(FIVE.map(call))) assert.deepEqual(answer, { reports: [] });
  };
  const signedIn = await authorizationServer.signIn();
  await tokens.signIn(signedIn);

  passTime(2 * HOUR_MS);
  await callAll();
  assert.equal(authorizationServer.exchanges.length, 1);
  assert.deepEqual(statuses(), [200, 200, 200, 200, 200]);
  tell('expired: 5 requests, 1 refresh, no 401');

  authorizationServer.revokeAccessTokens();
  await callAll();
  assert.equal(authorizationServer.exchanges.length, 2);
  const answered = statuses();
  assert.ok(answered.includes(401));
  assert.equal(answered.filter((status) => status === 200).length, FIVE.length);
  tell('revoked: 5 requests, 1 refresh, each 401 cured by a replay');

  authorizationServer.revokeGrant(signedIn.refresh_token);
  // The first learns it by a 401, the second is told before anything is sent.
  await assert.rejects(call(), isSignInNeeded);
  await assert.rejects(call(), isSignInNeeded);
  assert.equal(authorizationServer.exchanges.length, 3);
  assert.deepEqual(statuses(), [401]);
  await tokens.signIn(await authorizationServer.signIn());
  await callAll();
  assert.deepEqual(authorizationServer.reuses, []);
  tell('grant ended: callers are told to sign in, and after that it goes on');
}
