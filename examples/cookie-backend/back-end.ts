import type { TokenResponse } from '@unexpired/core';
import { Router, type Request, type Response } from 'express';

export interface BackEndSettings {
  readonly tokenEndpoint: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** What the token endpoint answered, and when it was asked. */
interface Exchange {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly tokens: TokenResponse;
  readonly askedAt: number;
}

const COOKIE = '__Secure-refresh-token';
const THIRTY_DAYS_MS = 30 * 24 * 3_600_000;
/** For this long the cookie of a moment ago is answered like the one that replaced it. */
const REMEMBER_MS = 60_000;

/** For the end of the sign-in, too: nothing else ever gets the refresh token. */
export function setRefreshToken(response: Response, refreshToken: string): void {
  response.cookie(COOKIE, refreshToken, {
    httpOnly: true,
    secure: true,
    sameSite: 'strict',
    path: '/auth',
    maxAge: THIRTY_DAYS_MS,
  });
}

function readRefreshToken({ headers }: Request): string | undefined {
  const pair = headers.cookie?.split('; ').find((text) => text.startsWith(`${COOKIE}=`));
  return pair && decodeURIComponent(pair.slice(COOKIE.length + 1));
}

async function exchange(settings: BackEndSettings, refreshToken: string): Promise<Exchange> {
  const { tokenEndpoint, clientId, clientSecret } = settings;
  const credentials = [clientId, clientSecret].map(encodeURIComponent).join(':');
  const askedAt = Date.now();
  const response = await fetch(tokenEndpoint, {
    method: 'POST',
    headers: { Authorization: `Basic ${btoa(credentials)}`, Accept: 'application/json' },
    body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken }),
    redirect: 'error',
    // Less than the 10 s that the page waits.
    signal: AbortSignal.timeout(8000),
  });
  const tokens = (await response.json()) as TokenResponse;
  return { status: response.status, retryAfter: response.headers.get('retry-after'), tokens, askedAt };
}

/** Two tabs, or a page that left before its answer came, show one refresh token twice: it is presented once. */
function createExchangeOnce(settings: BackEndSettings): (refreshToken: string) => Promise<Exchange> {
  const exchanges = new Map<string, Promise<Exchange>>();
  return (refreshToken) => {
    const known = exchanges.get(refreshToken);
    if (known !== undefined) return known;
    const forget = (): boolean => exchanges.delete(refreshToken);
    const made = exchange(settings, refreshToken);
    exchanges.set(refreshToken, made);
    made.then(({ tokens }) => {
      const isSpent = tokens.refresh_token !== undefined && tokens.refresh_token !== refreshToken;
      if (isSpent) setTimeout(forget, REMEMBER_MS).unref();
      else forget();
    }, forget);
    return made;
  };
}

function answer(response: Response, { status, retryAfter, tokens, askedAt }: Exchange): void {
  const { access_token, refresh_token, expires_in, token_type, error } = tokens;
  if (access_token === undefined) {
    // The cookie stays: another tab may have a newer one by now.
    if (retryAfter !== null) response.set('Retry-After', retryAfter);
    response.status(status < 400 ? 502 : status).json({ error });
    return;
  }
  if (refresh_token) setRefreshToken(response, refresh_token);
  const ageS = (Date.now() - askedAt) / 1000;
  response.json({ access_token, token_type, expires_in: expires_in && Number(expires_in) - ageS });
}

export function createBackEnd(settings: BackEndSettings): Router {
  const exchangeOnce = createExchangeOnce(settings);
  const router = Router();
  router.post('/auth/refresh', async (request, response) => {
    response.set('Cache-Control', 'no-store');
    const refreshToken = readRefreshToken(request);
    if (refreshToken === undefined) response.status(400).json({ error: 'invalid_grant' });
    else answer(response, await exchangeOnce(refreshToken));
  });
  return router;
}
