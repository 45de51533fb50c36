import { startApi } from './api.ts';
import { startAuthorizationServer, type AuthorizationServer } from './authorization-server.ts';
import type { OpenCallers } from './callers.ts';
import { clientOf } from './clients.ts';
import { CLIENT_ID } from './provider.ts';
import { serve, type RunningServer } from './server.ts';
import type { Latencies } from './steady.ts';
import { createTally, type Tally } from './tally.ts';
import { createTraffic, type Problems, type Traffic } from './traffic.ts';

/** The servers, the clients, and what is counted of them. */
export interface World {
  readonly authorizationServer: AuthorizationServer;
  readonly traffic: Traffic;
  readonly tally: Tally;
  /** How many processes the callers are in. */
  readonly processes: number;
  readonly problems: Problems;
  readonly latencies: Latencies;
  /** Signs in anew where the provider ended the session, as a person would have to. */
  signInWhereNeeded(): Promise<void>;
  close(): Promise<void>;
}

/** How long the access token of the first sign-in lives: a program that starts with the tokens of yesterday. */
const FIRST_LIFETIME_MS = 1000;

/** A server of somebody else's, which clients are sent to by links and redirects. */
function startOtherOrigin(tally: Tally): Promise<RunningServer> {
  return serve((request, response) => {
    const client = clientOf(request);
    tally.add('foreign', client);
    if (request.rawHeaders.some((text) => text.startsWith('Bearer '))) tally.add('leaks', client);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
}

export async function createWorld(openCallers: OpenCallers, processes: number): Promise<World> {
  const tally = createTally();
  const problems: Problems = new Map();
  const authorizationServer = await startAuthorizationServer(tally, processes);
  const other = await startOtherOrigin(tally);
  const api = await startApi(tally, { authorizationServer, elsewhere: other.origin });
  const staticToken = await authorizationServer.staticToken();
  const place = { issuer: authorizationServer.issuer, clientId: CLIENT_ID, api: api.origin };
  const callers = await openCallers(place, staticToken);
  await callers.signIn(await authorizationServer.signIn(FIRST_LIFETIME_MS));
  return {
    authorizationServer,
    processes,
    traffic: createTraffic({ tally, problems, callers, api, elsewhere: other.origin }),
    tally,
    problems,
    latencies: { kept: [], fixed: [] },
    async signInWhereNeeded() {
      if (!authorizationServer.isSignedOut()) return;
      tally.add('signIns');
      await callers.signIn(await authorizationServer.signIn());
    },
    async close() {
      await callers.close();
      await Promise.all([authorizationServer, other, api].map((server) => server.close()));
    },
  };
}
