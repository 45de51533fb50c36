import { AsyncLocalStorage } from 'node:async_hooks';
import {
  AccessTokenError,
  createTokenSource,
  explain401,
  type TokenSource,
  type TokenStore,
} from '@unexpired/core';
import { fetchAuth } from '@unexpired/fetch';
import { refreshTokenGrant } from '@unexpired/oauth';
import express, { type ErrorRequestHandler, type Express, type Request } from 'express';

export interface AccountSettings {
  readonly apiUrl: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Keeps the tokens of each user under the user's id. */
  readonly store: TokenStore;
}

/** One token source for each user; what they share is the client and the store. */
export function createAccounts(settings: AccountSettings): (user: string) => TokenSource {
  const { apiUrl, store, ...client } = settings;
  const origins = [new URL(apiUrl).origin];
  const refresh = refreshTokenGrant(client);
  const sources = new Map<string, TokenSource>();
  return (user) => {
    const known = sources.get(user);
    if (known !== undefined) return known;
    const tokens = createTokenSource({ origins, refresh, store, account: user });
    sources.set(user, tokens);
    return tokens;
  };
}

export interface AppSettings {
  readonly apiUrl: string;
  readonly tokensOf: (user: string) => TokenSource;
  /** Who is signed in here, as your session middleware knows it; nothing that the request merely says. */
  readonly userOf: (request: Request) => string | undefined;
}

/** Failures that pass. The others are for whoever runs the server: Express logs what no handler takes. */
const PASSING: readonly string[] = [
  'ERR_REFRESH_FAILED',
  'ERR_REFRESH_REJECTED',
  'ERR_LOCK_TIMEOUT',
  'ERR_WAIT_TIMEOUT',
];

const answerTokenErrors: ErrorRequestHandler = (error, _request, response, next) => {
  if (response.headersSent || !(error instanceof AccessTokenError)) return next(error);
  if (error.code === 'ERR_REAUTHENTICATION_REQUIRED') {
    return response.status(403).json({ error: 'connect_again' });
  }
  if (!PASSING.includes(error.code)) return next(error);
  if (error.retryAfterMs !== undefined)
    response.set('Retry-After', `${Math.ceil(error.retryAfterMs / 1000)}`);
  return response.status(503).json({ error: 'upstream_unavailable' });
};

export function createApp({ apiUrl, tokensOf, userOf }: AppSettings): Express {
  const currentTokens = new AsyncLocalStorage<TokenSource>();
  const authFetch = fetchAuth(() => {
    const tokens = currentTokens.getStore();
    if (tokens === undefined) throw new Error('The API was called outside of a user request');
    return tokens;
  });

  async function getUpstream(path: string): Promise<unknown> {
    const response = await authFetch(`${apiUrl}${path}`, { signal: AbortSignal.timeout(10_000) });
    if (response.ok) return response.json();
    await response.body?.cancel();
    throw explain401(response)?.error ?? new Error(`GET ${path} was answered ${response.status}`);
  }

  const app = express();
  app.use((request, response, next) => {
    // Each answer is one user's.
    response.set('Cache-Control', 'private, no-store');
    const user = userOf(request);
    if (user === undefined) response.status(401).json({ error: 'not_signed_in' });
    else currentTokens.run(tokensOf(user), next);
  });
  app.get('/reports', async (_request, response) => {
    response.json(await getUpstream('/reports'));
  });
  app.use(answerTokenErrors);
  return app;
}
