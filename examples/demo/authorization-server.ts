import type { IncomingMessage, RequestListener } from 'node:http';
import type { TokenResponse } from '@unexpired/core';
import { createDoor, type Door } from './door.ts';
import { createIssuance, type Issuance } from './issuance.ts';
import { createProvider, mint, type OidcProvider } from './provider.ts';
import { serve } from './server.ts';
import type { Tally } from './tally.ts';

export interface AuthorizationServer {
  readonly issuer: string;
  /** How long access tokens live that a refresh brings. */
  readonly lifetimeMs: number;
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

/**
 * A JWT tells its times in whole seconds: with much shorter lives, rounding would be all there is to see. Processes get
 * more, since they may wait for a processor while an answer is on its way to them, and tokens get older meanwhile.
 */
const LIFETIME_MS = { inOneProcess: 3000, inSeveral: 5000 };

/** What a token endpoint behind a network takes. */
const ANSWER_MS = 100;

/** Counts what the provider says; when a request arrived is told by `arrivals`. */
function watch(
  provider: OidcProvider,
  arrivals: WeakMap<IncomingMessage, number>,
  { tally, issuance, lifetimeMs }: { tally: Tally; issuance: Issuance; lifetimeMs: number },
): void {
  provider.on('grant.success', ({ req, oidc }) => {
    const { jti: id } = oidc.entities.AccessToken;
    issuance.reissue({ id, issuedAt: arrivals.get(req)!, lifetimeMs });
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

/** An oidc-provider behind a door that can fail, for callers in so many processes. */
export async function startAuthorizationServer(
  tally: Tally,
  processes: number,
): Promise<AuthorizationServer> {
  const { origin: issuer, close } = await serve((request, response) => listener(request, response));
  const lifetimeMs = processes > 1 ? LIFETIME_MS.inSeveral : LIFETIME_MS.inOneProcess;
  const provider = createProvider(issuer, lifetimeMs);
  const door = createDoor(tally, processes);
  const issuance = createIssuance(tally);
  const arrivals = new WeakMap<IncomingMessage, number>();
  let signedOut = false;
  watch(provider, arrivals, { tally, issuance, lifetimeMs });
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
    lifetimeMs,
    door,
    issuance,
    async signIn(livesForMs = lifetimeMs) {
      const issuedAt = Date.now();
      const { id, tokens } = await mint(provider, livesForMs / 1000);
      issuance.issue({ id, issuedAt, lifetimeMs: livesForMs });
      signedOut = false;
      return tokens;
    },
    staticToken: async () => (await mint(provider, 3600)).tokens.access_token!,
    isSignedOut: () => signedOut,
    close,
  };
}
