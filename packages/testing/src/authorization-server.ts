import { createArrivals } from './arrivals.ts';
import {
  revocationEndpointOf,
  serveAuthorization,
  tokenEndpointOf,
  type AuthorizationState,
} from './authorization-http.ts';
import { BOOLEAN, checkGiven, CLOCK, LIST, NUMBER, TEXT } from './checks.ts';
import type { RegisteredClient } from './client-authentication.ts';
import type { Checks, Clock } from '@unexpired/core';
import type { TokenEndpointFault } from './fault.ts';
import {
  createGrants,
  endGrant,
  grantOf,
  isAccessTokenValid,
  revoke,
  type Grant,
  type Grants,
  type Rotation,
} from './grants.ts';
import { listen } from './loopback.ts';
import { signIn } from './rotation.ts';
import { createScript } from './script.ts';
import { wireTokens, type Exchange, type IssuedTokens, type Presentation } from './token-endpoint.ts';

export interface AuthorizationServerOptions {
  /** @default 'strict' */
  readonly rotation?: Rotation | undefined;
  /** For how long a spent refresh token is tolerated, with `grace` and `latest-wins`. @default 30_000 */
  readonly graceMs?: number | undefined;
  /** Lifetime of access tokens in seconds; fractions count. @default 3600 */
  readonly expiresIn?: number | undefined;
  /** Answered as `refresh_in`, in seconds. @default left out */
  readonly refreshIn?: number | undefined;
  /** Every exchange ends the earlier access tokens of its grant. @default false */
  readonly accessTokensDieAtRefresh?: boolean | undefined;
  /** The clients that are known. @default any client is believed, whatever it shows */
  readonly clients?: readonly RegisteredClient[] | undefined;
  /** Lets pages of any origin call it. @default false */
  readonly cors?: boolean | undefined;
  /** What lifetimes, the grace period, records and `Date` follow. @default the system's */
  readonly clock?: Pick<Clock, 'now'> | undefined;
}

export interface SignInOptions {
  /** Whose tokens these are. @default 'default' */
  readonly account?: string | undefined;
  readonly scope?: string | undefined;
  /** The only client that may present the refresh token. @default any */
  readonly clientId?: string | undefined;
  /** Lifetime of this access token in seconds. @default that of the server */
  readonly expiresIn?: number | undefined;
}

/** A token response that surely has a refresh token. */
export type FirstTokens = IssuedTokens & { refresh_token: string };

/** A running authorization server. Its functions need no `this`. */
export interface AuthorizationServer {
  readonly issuer: string;
  /** The same as `issuer`. */
  readonly origin: string;
  readonly tokenEndpoint: string;
  readonly revocationEndpoint: string;
  /** Opens a grant as a person who signs in does, without a browser. */
  readonly signIn: (options?: SignInOptions) => Promise<FirstTokens>;

  /** Every token request, in the order of arrival. */
  readonly exchanges: readonly Exchange[];
  /** Every refresh token that was presented, in the order of arrival. */
  readonly presentations: readonly Presentation[];
  /** The presentations of spent refresh tokens that were not tolerated; the first of a grant ended it. */
  readonly reuses: readonly Presentation[];
  /** Every token that an admitted client asked to revoke, known or not. */
  readonly revocations: readonly string[];
  /** How often the metadata was fetched. */
  readonly metadataRequests: number;
  /** The `count`th token request since the start, once it has been read. @default 1 */
  readonly requestArrived: (count?: number) => Promise<Exchange>;

  /** Gives the next token requests one fault each; an empty object is an ordinary request. */
  readonly next: (...faults: TokenEndpointFault[]) => void;
  /** Gives every token request this fault unless `next` has one for it; undefined ends that. */
  readonly always: (fault: TokenEndpointFault | undefined) => void;
  /** Token requests that a `hold` holds now. */
  readonly held: number;
  /** Lets go of the token requests that are held now; says how many that were. */
  readonly release: () => number;

  readonly isAccessTokenValid: (accessToken: string | undefined) => boolean;
  /** By any token of the grant, dead or alive. */
  readonly isGrantAlive: (token: string) => boolean;
  /** Ends one access token; its grant stays. */
  readonly revokeAccessToken: (accessToken: string) => void;
  /** Ends the access tokens of one account, or of all; the grants stay. */
  readonly revokeAccessTokens: (account?: string) => void;
  /** Ends the grant of a token, with all its tokens. */
  readonly revokeGrant: (token: string) => void;

  /** Closes the server and its connections; whoever waits for an arrival is rejected. */
  readonly close: () => Promise<void>;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
}

const ROTATIONS: readonly unknown[] = [
  'strict',
  'grace',
  'latest-wins',
  'non-rotating',
  'same-token',
] satisfies Rotation[];

const CHECKS: Checks = {
  rotation: [`one of ${ROTATIONS.join(', ')}`, (value) => ROTATIONS.includes(value)],
  graceMs: NUMBER,
  expiresIn: NUMBER,
  refreshIn: NUMBER,
  accessTokensDieAtRefresh: BOOLEAN,
  clients: LIST,
  cors: BOOLEAN,
  clock: CLOCK,
};

const SIGN_IN_CHECKS: Checks = { account: TEXT, scope: TEXT, clientId: TEXT, expiresIn: NUMBER };

function createState(issuer: string, options: AuthorizationServerOptions): AuthorizationState {
  const {
    rotation = 'strict',
    graceMs = 30_000,
    expiresIn = 3600,
    accessTokensDieAtRefresh = false,
  } = options;
  const { clock = Date, clients, refreshIn, cors = false } = options;
  const now = (): number => clock.now();
  const audiences = [issuer, tokenEndpointOf(issuer)];
  return {
    issuer,
    cors,
    endpoint: {
      grants: createGrants({ rotation, graceMs, expiresIn, accessTokensDieAtRefresh, now }),
      registry: { clients, usedAssertions: new Set(), audiences, now },
      refreshIn,
    },
    exchanges: createArrivals('token request'),
    presentations: [],
    revocations: [],
    script: createScript(),
    metadataRequests: 0,
  };
}

function knownGrant(grants: Grants, token: string): Grant {
  const grant = grantOf(grants, token);
  if (grant === undefined) throw new TypeError('The token is not one that this server issued.');
  return grant;
}

type GrantCalls = Pick<
  AuthorizationServer,
  | 'signIn'
  | 'isAccessTokenValid'
  | 'isGrantAlive'
  | 'revokeAccessToken'
  | 'revokeAccessTokens'
  | 'revokeGrant'
>;

function grantCalls({ endpoint: { grants, refreshIn } }: AuthorizationState): GrantCalls {
  return {
    // A promise, so that a server in another process can offer the same calls.
    async signIn(options = {}) {
      checkGiven(options, SIGN_IN_CHECKS);
      const { account = 'default', scope, clientId, expiresIn = grants.settings.expiresIn } = options;
      const issued = signIn(grants, { account, scope, clientId, expiresIn });
      return { ...wireTokens(issued, refreshIn), refresh_token: issued.refreshToken };
    },
    isAccessTokenValid: (token) => token !== undefined && isAccessTokenValid(grants, token),
    isGrantAlive: (token) => knownGrant(grants, token).alive,
    revokeAccessToken(token) {
      revoke(knownGrant(grants, token).accessTokens.filter(({ value }) => value === token));
    },
    revokeAccessTokens(account) {
      for (const grant of grants.all)
        if (account === undefined || grant.account === account) revoke(grant.accessTokens);
    },
    revokeGrant(token) {
      endGrant(knownGrant(grants, token));
    },
  };
}

/**
 * Starts an authorization server on a free port of 127.0.0.1: a token endpoint for the refresh-token and
 * client-credentials grants, revocation (RFC 7009) and metadata (RFC 8414). By default it rotates refresh tokens and
 * ends the grant when one is presented twice.
 *
 * @throws TypeError that names the option, what was expected, and what came
 */
export async function createAuthorizationServer(
  options: AuthorizationServerOptions = {},
): Promise<AuthorizationServer> {
  checkGiven(options, CHECKS);
  const loopback = await listen();
  const state = createState(loopback.origin, options);
  loopback.serve((request, response) => serveAuthorization(state, request, response));
  const { script, exchanges, presentations, revocations, issuer } = state;
  const close = async (): Promise<void> => {
    exchanges.end();
    await loopback.close();
    script.release();
  };
  return {
    issuer,
    origin: issuer,
    tokenEndpoint: tokenEndpointOf(issuer),
    revocationEndpoint: revocationEndpointOf(issuer),
    ...grantCalls(state),
    exchanges: exchanges.all,
    presentations,
    get reuses() {
      return presentations.filter(({ outcome }) => outcome === 'reuse');
    },
    revocations,
    get metadataRequests() {
      return state.metadataRequests;
    },
    requestArrived: (count = 1) => exchanges.arrived(count),
    next: script.next,
    always: script.always,
    get held() {
      return script.held;
    },
    release: script.release,
    close,
    [Symbol.asyncDispose]: close,
  };
}
