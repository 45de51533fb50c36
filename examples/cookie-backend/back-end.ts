import { randomUUID } from 'node:crypto';
import { AccessTokenError, createTokenSource, type TokenResponse, type TokenSource } from '@unexpired/core';
import { refreshTokenGrant, revokeToken } from '@unexpired/oauth';
import { Router, type CookieOptions, type Request, type Response } from 'express';

export interface BackEndSettings {
  readonly apiUrl: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

export interface BackEnd {
  readonly router: Router;
  /** For the end of the sign-in: the tokens stay here, the browser gets the name of a session. */
  readonly signIn: (response: Response, tokenResponse: TokenResponse) => void;
}

/** Because of the prefix nobody else can set it, not even a subdomain; browsers ask for `Path=/` with it. */
const COOKIE = '__Host-session';
const COOKIE_OPTIONS: CookieOptions = { httpOnly: true, secure: true, sameSite: 'strict', path: '/' };
const THIRTY_DAYS_MS = 30 * 24 * 3_600_000;
/** Less than the 10 s that the page waits. The refresh goes on, and is there when the page asks again. */
const PATIENCE_MS = 8000;

function sessionOf({ headers }: Request): string {
  const pair = headers.cookie?.split('; ').find((text) => text.startsWith(`${COOKIE}=`));
  return pair?.slice(COOKIE.length + 1) ?? '';
}

/** The newest access token. One that the page has is no use to it: it is about to expire, or the API refused it. */
async function renew(tokens: TokenSource, url: string, held: string | undefined): Promise<TokenResponse> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const current = await tokens.authorize({ url, method: 'GET', signal });
  if (current?.headers['authorization'] === held) {
    const refusal = { url, status: 401, header: () => undefined };
    await tokens.reauthorize(current!, refusal, { replayable: true, signal });
  }
  const accessToken = await tokens.getAccessToken({ signal });
  const { expiresAt } = tokens.status();
  const lifetime = expiresAt === undefined ? {} : { expires_in: (expiresAt - Date.now()) / 1000 };
  return { access_token: accessToken, ...lifetime };
}

function answerFailure(response: Response, error: unknown): void {
  const { code, retryAfterMs = 1000 } = error as Partial<AccessTokenError>;
  if (code === 'ERR_REAUTHENTICATION_REQUIRED') {
    response.status(400).json({ error: 'invalid_grant' });
  } else if (code === 'ERR_REFRESH_FAILED' || (error as Error).name === 'TimeoutError') {
    response.set('Retry-After', `${Math.ceil(retryAfterMs / 1000)}`);
    response.status(503).json({ error: 'temporarily_unavailable' });
  } else throw error;
}

export function createBackEnd({ apiUrl, ...client }: BackEndSettings): BackEnd {
  const ways = { refresh: refreshTokenGrant(client), revoke: revokeToken(client) };
  const origins = [new URL(apiUrl).origin];
  const sessions = new Map<string, TokenSource>();
  const router = Router();

  router.post('/auth/refresh', async (request, response) => {
    response.set('Cache-Control', 'no-store');
    const tokens = sessions.get(sessionOf(request));
    if (tokens === undefined) return response.status(400).json({ error: 'invalid_grant' });
    return renew(tokens, apiUrl, request.get('authorization')).then(
      (tokenResponse) => response.json(tokenResponse),
      (error: unknown) => answerFailure(response, error),
    );
  });

  router.post('/auth/sign-out', async (request, response) => {
    const session = sessionOf(request);
    const tokens = sessions.get(session);
    sessions.delete(session);
    await tokens?.signOut();
    response.clearCookie(COOKIE, COOKIE_OPTIONS).end();
  });

  return {
    router,
    signIn(response, tokens) {
      const session = randomUUID();
      sessions.set(session, createTokenSource({ origins, ...ways, tokens }));
      response.cookie(COOKIE, session, { ...COOKIE_OPTIONS, maxAge: THIRTY_DAYS_MS });
    },
  };
}
