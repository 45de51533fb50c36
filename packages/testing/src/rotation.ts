import {
  endGrant,
  mintAccessToken,
  mintRefreshToken,
  openGrant,
  revoke,
  type Grant,
  type Grants,
  type RefreshToken,
} from './grants.ts';

/**
 * What became of a presented refresh token. `pending`: not looked at yet. `ignored`: never looked at, a fault came
 * first. `rejected`: never looked at, the request or its client authentication was not in order. `accepted`: tokens were
 * issued. `grace`: issued although it was spent. `reuse`: spent, and the grant was ended for it. `dead`: its grant had
 * ended. `unknown`: not of this server. `other-client`, `scope-exceeded`: refused for that, and still unspent.
 */
export type PresentationOutcome =
  | 'pending'
  | 'ignored'
  | 'rejected'
  | 'accepted'
  | 'grace'
  | 'reuse'
  | 'dead'
  | 'unknown'
  | 'other-client'
  | 'scope-exceeded';

/** What an answer of the token endpoint is made of. */
export interface Issued {
  readonly grant: Grant;
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  readonly expiresIn: number;
  readonly scope: string | undefined;
}

/** Who presents a refresh token, and the scope that is asked for. */
export interface Presenter {
  readonly clientId: string | undefined;
  readonly scope: string | undefined;
}

function isRotating({ settings: { rotation } }: Grants): boolean {
  return rotation !== 'non-rotating' && rotation !== 'same-token';
}

/** The access token of the next answer; the grant's generation is already that of the answer. */
function issueAccessToken(grants: Grants, grant: Grant): { accessToken: string; expiresIn: number } {
  const { rotation, expiresIn, accessTokensDieAtRefresh, now } = grants.settings;
  const last = grant.accessTokens.at(-1);
  if (rotation === 'same-token' && last !== undefined && now() < last.expiresAt)
    return { accessToken: last.value, expiresIn: (last.expiresAt - now()) / 1000 };
  if (accessTokensDieAtRefresh) revoke(grant.accessTokens);
  return { accessToken: mintAccessToken(grants, grant, expiresIn).value, expiresIn };
}

/** The spent refresh token still brings tokens: its own successors are the newest ones, and it was spent just now. */
function isInGrace(grants: Grants, { spentAt, generation, grant }: RefreshToken): boolean {
  const { rotation, graceMs, now } = grants.settings;
  if (rotation !== 'grace' && rotation !== 'latest-wins') return false;
  if (spentAt === undefined || grant.generation !== generation + 1) return false;
  return now() - spentAt <= graceMs;
}

function supersedeSuccessors({ grant, generation }: RefreshToken): void {
  for (const token of grant.refreshTokens) if (token.generation > generation) token.superseded = true;
  revoke(grant.accessTokens.filter((token) => token.generation > generation));
}

function isWithin(wanted: string | undefined, granted: string | undefined): boolean {
  if (wanted === undefined || granted === undefined) return true;
  const all = new Set(granted.split(' '));
  return wanted.split(' ').every((one) => all.has(one));
}

function judge(grants: Grants, token: RefreshToken, { clientId, scope }: Presenter): PresentationOutcome {
  const { grant, spentAt, superseded } = token;
  if (grant.clientId !== undefined && grant.clientId !== clientId) return 'other-client';
  const isUnspent = spentAt === undefined && !superseded;
  if (!isUnspent && !isInGrace(grants, token)) return 'reuse';
  if (!grant.alive) return 'dead';
  if (!isWithin(scope, grant.scope)) return 'scope-exceeded';
  return isUnspent ? 'accepted' : 'grace';
}

function exchange(grants: Grants, token: RefreshToken, scope: string | undefined): Issued {
  const { grant } = token;
  const rotates = isRotating(grants);
  if (rotates) {
    token.spentAt ??= grants.settings.now();
    grant.generation = token.generation + 1;
  }
  const issued = issueAccessToken(grants, grant);
  const refreshToken = rotates ? mintRefreshToken(grants, grant).value : undefined;
  return { ...issued, grant, refreshToken, scope: scope ?? grant.scope };
}

/** The refresh grant. */
export function presentRefreshToken(
  grants: Grants,
  value: string,
  presenter: Presenter,
): { readonly outcome: PresentationOutcome; readonly issued?: Issued } {
  const token = grants.refreshTokens.get(value);
  if (token === undefined) return { outcome: 'unknown' };
  const outcome = judge(grants, token, presenter);
  if (outcome === 'reuse') endGrant(token.grant);
  if (outcome !== 'accepted' && outcome !== 'grace') return { outcome };
  if (outcome === 'grace' && grants.settings.rotation === 'latest-wins') supersedeSuccessors(token);
  return { outcome, issued: exchange(grants, token, presenter.scope) };
}

/** The first tokens of a new grant. */
export function signIn(
  grants: Grants,
  { expiresIn, ...owner }: Pick<Grant, 'account' | 'clientId' | 'scope'> & { readonly expiresIn: number },
): Issued & { readonly refreshToken: string } {
  const grant = openGrant(grants, owner);
  const accessToken = mintAccessToken(grants, grant, expiresIn).value;
  return {
    grant,
    accessToken,
    refreshToken: mintRefreshToken(grants, grant).value,
    expiresIn,
    scope: owner.scope,
  };
}

/** The client-credentials grant: one family for each client, without refresh tokens. */
export function grantClientCredentials(grants: Grants, clientId: string, scope: string | undefined): Issued {
  const account = `client:${clientId}`;
  const grant =
    grants.all.find((one) => one.account === account && one.alive) ??
    openGrant(grants, { account, clientId, scope });
  return { ...issueAccessToken(grants, grant), grant, refreshToken: undefined, scope };
}
