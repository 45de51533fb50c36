import type { IncomingMessage, RequestListener } from 'node:http';
import type { TokenResponse } from '@unexpired/core';
import { createDoor, type Door } from './door.ts';
import { createIssuance, type Issuance } from './issuance.ts';
import { createProvider, LIFETIME_MS, mint, type OidcProvider } from './provider.ts';
import { serve } from './server.ts';
import type { Tally } from './tally.ts';

export interface AuthorizationServer {
  readonly issuer: string;
  /** Where the token endpoint can be made to fail. */
  readonly door: Door;
  readonly issuance: Issuance;
  /** What a sign-in would return, without the browser. */
  signIn(lifetimeMs?: number): Promise<TokenResponse>;
  /** An access token that outlives the demo. */
  staticToken(): Promise<string>;
  /** Whether the provider ended the grant. */
  isSignedOut(): boolean;
  readonly close: () => Promise<void>;
}

/** What a token endpoint behind a network takes. */
const ANSWER_MS = 100;

/** Counts what the provider says; when a request arrived is told by `arrivals`. */
function watch(
  provider: OidcProvider,
  arrivals: WeakMap<IncomingMessage, number>,
  { tally, issuance }: { tally: Tally; issuance: Issuance },
): void {
  provider.on('grant.success', ({ req, oidc }) => {
    const { jti: id } = oidc.entities.AccessToken;
    issuance.reissue({ id, issuedAt: arrivals.get(req)!, lifetimeMs: LIFETIME_MS });
  });
  provider.on('grant.error', (_context, error) => {
    if (error.error_detail === 'refresh token already used') tally.add('reuses');
  });
  provider.on('server_error', (_context, error) => {
    // Out of the provider's hands, which would answer it as one more failure.
    queueMicrotask(() => {
      throw error;
    });
  });
}

/** An oidc-provider behind a door that can fail. */
export async function startAuthorizationServer(tally: Tally): Promise<AuthorizationServer> {
  const { origin: issuer, close } = await serve((request, response) => listener(request, response));
  const provider = createProvider(issuer);
  const door = createDoor(tally);
  const issuance = createIssuance(tally);
  const arrivals = new WeakMap<IncomingMessage, number>();
  let signedOut = false;
  watch(provider, arrivals, { tally, issuance });
  provider.on('grant.revoked', () => (signedOut = true));

  const answer = provider.callback();
  const listener: RequestListener = (request, response) => {
    if (request.url !== '/token') return answer(request, response);
    tally.add('exchanges');
    arrivals.set(request, Date.now());
    if (!door.admits(response)) return;
    response.once('finish', () => {
      if (response.statusCode !== 200) tally.add('unexplained');
    });
    setTimeout(() => answer(request, response), ANSWER_MS);
  };
  return {
    issuer,
    door,
    issuance,
    async signIn(lifetimeMs = LIFETIME_MS) {
      const issuedAt = Date.now();
      const { id, tokens } = await mint(provider, lifetimeMs / 1000);
      issuance.issue({ id, issuedAt, lifetimeMs });
      signedOut = false;
      return tokens;
    },
    staticToken: async () => (await mint(provider, 3600)).tokens.access_token!,
    isSignedOut: () => signedOut,
    close,
  };
}
