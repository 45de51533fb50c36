import type { TokenResponse } from '@unexpired/core';
import {
  createAuthorizationServer,
  createResourceServer,
  type Answer,
  type AuthorizationServer,
  type ReceivedRequest,
  type ResourceServer,
} from '@unexpired/testing';

export interface World {
  /** Rotates refresh tokens, and ends the grant when one is presented twice. */
  readonly server: AuthorizationServer;
  readonly api: ResourceServer;
  readonly elsewhere: ResourceServer;
  readonly place: { readonly api: string; readonly tokenEndpoint: string };
  readonly first: TokenResponse & { refresh_token: string };
  readonly close: () => Promise<void>;
}

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** axios-jwt reads the expiry from the access token, so here every access token is a JWT around the real one. */
function asJwt<T extends TokenResponse>(tokens: T): T {
  const exp = Math.floor(Date.now() / 1000) + Number(tokens.expires_in);
  const payload = { exp, token: tokens.access_token };
  return { ...tokens, access_token: `${part({ alg: 'none' })}.${part(payload)}.` };
}

function withinJwt(jwt = ''): string | undefined {
  const payload = jwt.split('.')[1];
  return payload === undefined ? undefined : JSON.parse(Buffer.from(payload, 'base64url').toString()).token;
}

async function exchange({ body }: ReceivedRequest, server: AuthorizationServer): Promise<Answer> {
  const response = await fetch(server.tokenEndpoint, {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: body.toString(),
  });
  if (!response.ok) return { status: response.status, body: await response.text() };
  return { body: asJwt((await response.json()) as TokenResponse) };
}

export async function createWorld(expiresIn = 3600): Promise<World> {
  const server = await createAuthorizationServer();
  const accepts = (jwt: string | undefined): boolean => server.isAccessTokenValid(withinJwt(jwt));
  const servers = await Promise.all([
    createResourceServer({ accepts }),
    createResourceServer({ accepts: () => true }),
    createResourceServer({ accepts: () => true, respond: (request) => exchange(request, server) }),
  ]);
  const [api, elsewhere, endpoint] = servers;
  return {
    server,
    api,
    elsewhere,
    place: { api: api.origin, tokenEndpoint: `${endpoint.origin}/token` },
    first: asJwt(await server.signIn({ expiresIn })),
    close: async () => void (await Promise.all([server, ...servers].map((each) => each.close()))),
  };
}
