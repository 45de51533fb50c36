import { acquireWithOthers, held, joinFlight, wantOf, type SourceState } from './acquire.ts';
import { createAuthorization, sentOf, type Authorization } from './authorization.ts';
import { emit, type Credential, type Snapshot } from './credential.ts';
import { AccessTokenError, isAccessTokenError, rethrowCopy } from './errors.ts';
import type { NotAuthorizedReason } from './events.ts';
import { decide } from './lifecycle.ts';
import { listedOrigin, originOf } from './origins.ts';
import { handOn, reauthorize, refusalOf, settled, type Reauthorizer } from './reauthorize.ts';
import type { Fallback } from './source-options.ts';
import type { AuthorizeRequest, TokenSource } from './token-source.ts';

export interface AuthorizerOptions {
  readonly origins: ReadonlySet<string>;
  readonly fallback: Fallback | undefined;
  readonly refusedStatuses: readonly number[];
  readonly ensureOpen: () => void;
}

/** So many reasons for requests without authorization are remembered, each told once. */
const REMEMBERED = 256;

/** The gates during which the fallback is sent: a refusal, not an outage. */
const FALLBACK_CODES = new Set([
  'ERR_REAUTHENTICATION_REQUIRED',
  'ERR_REFRESH_REJECTED',
  'ERR_ACCOUNT_DISABLED',
]);

function headerOf(fallback: Fallback): readonly [name: string, value: string] {
  return typeof fallback === 'string'
    ? ['authorization', `Bearer ${fallback}`]
    : [fallback.header, fallback.value];
}

function bearerOf(snapshot: Snapshot): string {
  const type = snapshot.record.tokens?.token_type;
  if (typeof type === 'string' && type.toLowerCase() === 'dpop') {
    throw new AccessTokenError(
      'ERR_MISCONFIGURED',
      'The authorization server issued a DPoP-bound access token. Ask it for bearer tokens for this client.',
    );
  }
  return `Bearer ${snapshot.accessToken}`;
}

/** One frozen authorization for each origin and generation, so that a request with a fresh token allocates nothing. */
function createAuthorizations(): (snapshot: Snapshot, origin: string) => Authorization {
  let known: Map<string, Authorization>;
  let knownFor: Snapshot | undefined;
  return (snapshot, origin) => {
    if (knownFor !== snapshot) {
      knownFor = snapshot;
      known = new Map();
    }
    let authorization = known.get(origin);
    if (authorization === undefined) {
      const sent = { origin, token: snapshot.accessToken, subject: snapshot.record.subject };
      authorization = createAuthorization(sent, 'authorization', bearerOf(snapshot));
      known.set(origin, authorization);
    }
    return authorization;
  };
}

/** Tells each origin and reason once: what is told of every request is read by nobody. */
function createNotes(credential: Credential): (url: string | URL, reason: NotAuthorizedReason) => undefined {
  let noted: Set<string> | undefined;
  return (url, reason) => {
    noted ??= new Set();
    const origin = originOf(url) ?? 'unknown';
    const key = `${reason} ${origin}`;
    if (noted.has(key)) return undefined;
    if (noted.size >= REMEMBERED) noted.delete(noted.values().next().value!);
    noted.add(key);
    emit(credential, 'request-not-authorized', { origin, reason });
    return undefined;
  };
}

type FallbackFor = Reauthorizer['fallbackFor'];

/** What requests carry instead, during a refusal; undefined: nothing does, or nothing may. */
function createFallbacks(
  credential: Credential,
  fallback: Fallback | undefined,
  note: ReturnType<typeof createNotes>,
): FallbackFor {
  return (origin, confinesHeaders = () => true) => {
    const { gate } = credential;
    if (fallback === undefined || gate === undefined || !FALLBACK_CODES.has(gate.error.code))
      return undefined;
    const authorization = createAuthorization({ origin, token: undefined }, ...headerOf(fallback));
    if (authorization.customHeader !== undefined && !confinesHeaders())
      return note(origin, 'unsafe-fallback');
    emit(credential, 'fallback-used', { origin });
    return authorization;
  };
}

/** The calls of adapters. */
export function createAuthorizer(
  session: { readonly state: SourceState; isReady(): boolean; isClosed(): boolean },
  { origins, fallback, refusedStatuses, ensureOpen }: AuthorizerOptions,
): Pick<TokenSource, 'authorize' | 'reauthorize' | 'settled'> {
  const { credential } = session.state;
  const note = createNotes(credential);
  const authorizationFor = createAuthorizations();

  const fallbackFor = createFallbacks(credential, fallback, note);

  function authorizeLater(origin: string, wish: AuthorizeRequest): Promise<Authorization> {
    return acquireWithOthers(state, wish).then(
      (snapshot) => authorizationFor(snapshot, origin),
      (error: unknown) => {
        if (!isAccessTokenError(error) || wish.signal?.aborted) throw error;
        const standIn = fallbackFor(origin, wish.confinesHeaders);
        return standIn ?? rethrowCopy(error);
      },
    );
  }

  async function openAndAuthorize(origin: string, wish: AuthorizeRequest): Promise<Authorization> {
    ensureOpen();
    return authorizeLater(origin, wish);
  }

  const state: Reauthorizer = { ...session.state, refusedStatuses, authorizationFor, fallbackFor };
  return {
    authorize(request) {
      const origin = listedOrigin(origins, request.url);
      if (origin === undefined) return note(request.url, 'origin');
      if (request.standAside !== undefined) return note(request.url, request.standAside);
      if (!session.isReady()) return openAndAuthorize(origin, request);
      const decision = decide(held(credential), credential.gate, wantOf(state, request));
      if (decision === 'wait' || decision === 'fail') return authorizeLater(origin, request);
      if (decision === 'use-and-refresh') joinFlight(state, false);
      return authorizationFor(credential.snapshot!, origin);
    },
    async reauthorize(authorization, response, replay) {
      const sent = refusalOf(state, authorization, response);
      const { native } = response;
      if (sent !== undefined && session.isClosed())
        return handOn(state, sent, { reason: 'refresh-failed', native });
      if (sent !== undefined) return reauthorize(state, sent, { native, ...replay });
      const { origin } = sentOf(authorization) ?? {};
      if (origin !== undefined && response.status === 401) {
        emit(credential, 'not-replayed', { origin, reason: 'not-ours' });
      }
      return undefined;
    },
    settled(authorization, status, response) {
      settled(state, authorization, { ...response, status });
    },
  };
}
