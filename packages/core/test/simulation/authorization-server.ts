import type { TokenResponse } from '../../src/index.ts';

/**
 * What the server does with refresh tokens:
 * - `strict`: each one once; a second presentation ends the grant
 * - `grace`: as strict, but a just-spent one brings another pair for `GRACE_MS`
 * - `latest-wins`: as grace, but only the pair issued last counts
 * - `non-rotating`: the same one for ever
 */
export type Mode = 'strict' | 'grace' | 'latest-wins' | 'non-rotating';

export const GRACE_MS = 60_000;
export const LIFETIME_MS = 3_600_000;

/**
 * What one token request meets instead:
 * - `unavailable`, `throttled`, `invalid-client`: 503, 429 with Retry-After, 401; nothing is spent
 * - `dead`: the grant ends, invalid_grant
 * - `reset`, `lost`: the connection breaks before or after the server did its work
 */
export type Trouble = 'unavailable' | 'throttled' | 'invalid-client' | 'dead' | 'reset' | 'lost';

export interface Answer {
  readonly tokens?: TokenResponse;
  /** As axios throws it. */
  readonly failure?: Error;
}

/** One refresh token that was issued. */
interface Issued {
  readonly family: Family;
  readonly order: number;
  spentAt: number | undefined;
}

/** What is known of an access token. */
interface AccessTokenIssue {
  readonly order: number;
  /** The grant. */
  readonly family: string;
  readonly at: number;
}

interface Family {
  readonly name: string;
  alive: boolean;
  newest: string;
}

export interface Presentation {
  readonly refreshToken: string;
  /** How often it had been presented before. */
  readonly before: number;
  readonly process: string;
  readonly at: number;
  /** Whether the grant was alive when the request came. */
  readonly alive: boolean;
  readonly granted: boolean;
}

/** An authorization server as a state machine: no network, no time of its own. Every token it issues holds `canary`. */
export interface SimulatedServer {
  readonly mode: Mode;
  readonly presentations: readonly Presentation[];
  /** A new grant; where there can be but one, it ends the one before. */
  signIn(endsPrevious?: boolean): TokenResponse;
  present(refreshToken: string | undefined, process: string): Answer;
  /** The next token requests meet these, one each. */
  readonly troubles: Trouble[];
  /** What `expires_in` says. */
  lifetimeSeconds: number;
  issue(accessToken: string): AccessTokenIssue | undefined;
  orderOf(refreshToken: string | undefined): number;
  /** Whether the refresh token is of the grant that was given last. */
  isOfNewestGrant(refreshToken: string): boolean;
  isAlive(): boolean;
  readonly newestAccessToken: string;
  readonly newestRefreshToken: string;
}

interface State {
  readonly mode: Mode;
  readonly now: () => number;
  readonly refreshTokens: Map<string, Issued>;
  readonly accessTokens: Map<string, AccessTokenIssue>;
  readonly presentations: Presentation[];
  readonly troubles: Trouble[];
  lifetimeSeconds: number;
  family: Family;
  families: number;
  order: number;
  newestAccessToken: string;
}

function issue(state: State, family: Family): TokenResponse {
  const order = (state.order += 1);
  const accessToken = `canary-access-${family.name}-${order}`;
  state.accessTokens.set(accessToken, { order, family: family.name, at: state.now() });
  state.newestAccessToken = accessToken;
  const answer = { access_token: accessToken, token_type: 'Bearer', expires_in: state.lifetimeSeconds };
  if (state.mode === 'non-rotating' && family.newest !== '') return answer;
  if (state.mode === 'latest-wins') {
    for (const other of state.refreshTokens.values()) {
      if (other.family === family) other.spentAt ??= state.now();
    }
  }
  family.newest = `canary-refresh-${family.name}-${order}`;
  state.refreshTokens.set(family.newest, { family, order, spentAt: undefined });
  return { ...answer, refresh_token: family.newest };
}

function isForgiven(state: State, { spentAt }: Issued): boolean {
  if (state.mode !== 'grace' && state.mode !== 'latest-wins') return false;
  return spentAt !== undefined && state.now() - spentAt <= GRACE_MS;
}

/** Spends the token; false: it is refused, and reuse has ended the grant. */
function spend(state: State, token: Issued): boolean {
  if (!token.family.alive) return false;
  if (state.mode === 'non-rotating') return true;
  if (token.spentAt !== undefined && !isForgiven(state, token)) {
    token.family.alive = false;
    return false;
  }
  token.spentAt ??= state.now();
  return true;
}

function failure(status: number, error: string, headers: Record<string, string> = {}): Answer {
  const response = { status, headers, data: { error } };
  return { failure: Object.assign(new Error(`Request failed with status code ${status}`), { response }) };
}

function reset(): Answer {
  return { failure: Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }) };
}

function grant(state: State, refreshToken: string, process: string): Answer {
  const token = state.refreshTokens.get(refreshToken);
  const before = state.presentations.filter((other) => other.refreshToken === refreshToken).length;
  const alive = token?.family.alive ?? false;
  const granted = token !== undefined && spend(state, token);
  state.presentations.push({ refreshToken, before, process, at: state.now(), alive, granted });
  return granted ? { tokens: issue(state, token.family) } : failure(400, 'invalid_grant');
}

function present(state: State, refreshToken: string, process: string): Answer {
  const trouble = state.troubles.shift();
  switch (trouble) {
    case 'unavailable':
      return failure(503, 'temporarily_unavailable');
    case 'throttled':
      return failure(429, 'slow_down', { 'retry-after': '30' });
    case 'invalid-client':
      return failure(401, 'invalid_client');
    case 'reset':
      return reset();
    case 'dead':
      state.family.alive = false;
      return grant(state, refreshToken, process);
    case 'lost':
      grant(state, refreshToken, process);
      return reset();
    case undefined:
      return grant(state, refreshToken, process);
  }
}

/** `now` is a clock that is never stepped. */
export function createServer(mode: Mode, now: () => number): SimulatedServer {
  const state: State = {
    mode,
    now,
    refreshTokens: new Map(),
    accessTokens: new Map(),
    presentations: [],
    troubles: [],
    lifetimeSeconds: LIFETIME_MS / 1000,
    family: { name: 'none', alive: false, newest: '' },
    families: 0,
    order: 0,
    newestAccessToken: '',
  };
  return {
    mode,
    presentations: state.presentations,
    troubles: state.troubles,
    get lifetimeSeconds() {
      return state.lifetimeSeconds;
    },
    set lifetimeSeconds(seconds) {
      state.lifetimeSeconds = seconds;
    },
    signIn(endsPrevious = false) {
      if (endsPrevious) state.family.alive = false;
      state.families += 1;
      state.family = { name: `f${state.families}`, alive: true, newest: '' };
      return issue(state, state.family);
    },
    present: (refreshToken, process) => present(state, refreshToken ?? 'none', process),
    issue: (accessToken) => state.accessTokens.get(accessToken),
    orderOf: (refreshToken) => state.refreshTokens.get(refreshToken ?? '')?.order ?? 0,
    isOfNewestGrant: (refreshToken) => state.refreshTokens.get(refreshToken)?.family === state.family,
    isAlive: () => state.family.alive,
    get newestAccessToken() {
      return state.newestAccessToken;
    },
    get newestRefreshToken() {
      return state.family.newest;
    },
  };
}
