import { startApi, type Api } from './api.ts';
import { startAuthorizationServer, type AuthorizationServer } from './authorization-server.ts';
import type { Connect } from './clients.ts';
import { startOtherOrigin } from './other-origin.ts';
import { CLIENT_ID } from './provider.ts';
import type { Latencies } from './steady.ts';
import { createTally, type Tally } from './tally.ts';
import { createTraffic, type Traffic } from './traffic.ts';

/** The servers, the clients, and what is counted of them. */
export interface World {
  readonly authorizationServer: AuthorizationServer;
  readonly api: Api;
  readonly traffic: Traffic;
  readonly tally: Tally;
  readonly problems: ReadonlyMap<string, number>;
  readonly latencies: Latencies;
  /** Signs in anew where the provider ended the session, as a person would have to. */
  signInWhereNeeded(): Promise<void>;
  close(): Promise<void>;
}

/** How long the access token of the first sign-in lives: a program that starts with the tokens of yesterday. */
const FIRST_LIFETIME_MS = 1000;

export async function createWorld(connect: Connect): Promise<World> {
  const tally = createTally();
  const problems = new Map<string, number>();
  const authorizationServer = await startAuthorizationServer(tally);
  const other = await startOtherOrigin(tally);
  const api = await startApi(tally, { authorizationServer, elsewhere: other.origin });
  const staticToken = await authorizationServer.staticToken();
  const place = { issuer: authorizationServer.issuer, clientId: CLIENT_ID, api: api.origin };
  const clients = connect(place, await authorizationServer.signIn(FIRST_LIFETIME_MS));
  const traffic = createTraffic({ tally, problems, clients, staticToken, api, elsewhere: other.origin });
  return {
    authorizationServer,
    api,
    traffic,
    tally,
    problems,
    latencies: { kept: [], fixed: [] },
    async signInWhereNeeded() {
      if (!authorizationServer.isSignedOut()) return;
      tally.signIns += 1;
      await clients.signIn(await authorizationServer.signIn());
    },
    async close() {
      await clients.close();
      await Promise.all([authorizationServer, other, api].map((server) => server.close()));
    },
  };
}
