import { randomUUID } from 'node:crypto';

/**
 * What the server does with refresh tokens. `strict`: each is good for one exchange; a second presentation ends the
 * grant and its access tokens. `grace`: the one just spent brings another working pair for a while. `latest-wins`: the
 * same, but only the newest of those pairs works, and its elder sibling ends the grant. `non-rotating`: the first one
 * stays and answers bring none. `same-token`: like that, and the same access token is answered until it expires, also
 * when it was revoked.
 */
export type Rotation = 'strict' | 'grace' | 'latest-wins' | 'non-rotating' | 'same-token';

/** How the grants of a server behave. */
export interface GrantSettings {
  readonly rotation: Rotation;
  readonly graceMs: number;
  readonly expiresIn: number;
  readonly accessTokensDieAtRefresh: boolean;
  readonly now: () => number;
}

/** A family of tokens that began with one sign-in. */
export interface Grant {
  readonly id: number;
  readonly account: string;
  readonly clientId: string | undefined;
  readonly scope: string | undefined;
  readonly accessTokens: AccessToken[];
  readonly refreshTokens: RefreshToken[];
  alive: boolean;
  /** Of the newest tokens; 1 at sign-in. */
  generation: number;
}

export interface AccessToken {
  readonly value: string;
  readonly grant: Grant;
  readonly generation: number;
  readonly expiresAt: number;
  revoked: boolean;
}

export interface RefreshToken {
  readonly value: string;
  readonly grant: Grant;
  readonly generation: number;
  spentAt: number | undefined;
  /** A newer pair took its place before it was spent. */
  superseded: boolean;
}

/** Every grant of one server: state only, no HTTP. */
export interface Grants {
  readonly settings: GrantSettings;
  readonly all: Grant[];
  readonly accessTokens: Map<string, AccessToken>;
  readonly refreshTokens: Map<string, RefreshToken>;
}

export function createGrants(settings: GrantSettings): Grants {
  return {
    settings,
    all: [],
    accessTokens: new Map(),
    refreshTokens: new Map(),
  };
}

export function openGrant(grants: Grants, owner: Pick<Grant, 'account' | 'clientId' | 'scope'>): Grant {
  const id = grants.all.length + 1;
  const grant: Grant = { ...owner, id, accessTokens: [], refreshTokens: [], alive: true, generation: 1 };
  grants.all.push(grant);
  return grant;
}

export function mintAccessToken(grants: Grants, grant: Grant, expiresIn: number): AccessToken {
  const { generation } = grant;
  const value = `access.${grant.id}.${generation}.${randomUUID()}`;
  const expiresAt = grants.settings.now() + expiresIn * 1000;
  const token: AccessToken = { value, grant, generation, expiresAt, revoked: false };
  grant.accessTokens.push(token);
  grants.accessTokens.set(value, token);
  return token;
}

export function mintRefreshToken(grants: Grants, grant: Grant): RefreshToken {
  const { generation } = grant;
  const value = `refresh.${grant.id}.${generation}.${randomUUID()}`;
  const token: RefreshToken = { value, grant, generation, spentAt: undefined, superseded: false };
  grant.refreshTokens.push(token);
  grants.refreshTokens.set(value, token);
  return token;
}

/** The grant that a token of either kind belongs to. */
export function grantOf(grants: Grants, token: string): Grant | undefined {
  return (grants.accessTokens.get(token) ?? grants.refreshTokens.get(token))?.grant;
}

/** Ends a grant: none of its tokens works any longer. */
export function endGrant(grant: Grant): void {
  grant.alive = false;
}

export function revoke(tokens: Iterable<AccessToken>): void {
  for (const token of tokens) token.revoked = true;
}

export function isAccessTokenValid(grants: Grants, value: string): boolean {
  const token = grants.accessTokens.get(value);
  return (
    token !== undefined && token.grant.alive && !token.revoked && grants.settings.now() < token.expiresAt
  );
}
