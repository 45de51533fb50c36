import { AccessTokenError } from './errors.ts';
import { isObject } from './options.ts';
import {
  isFilled,
  lifetimeOf,
  mergeTokens,
  refreshInOf,
  subjectOf,
  type TokenResponse,
  type TokenSet,
} from './token-response.ts';

/** Who issued the credential, to which client. */
export interface Binding {
  readonly issuer?: string | undefined;
  readonly tokenEndpoint?: string | undefined;
  readonly clientId: string;
}

/** The mark, written before the refresh token is sent, that it is being spent. */
export interface Claim {
  /** Epoch ms by the store's clock. */
  readonly at: number;
}

/**
 * The stored form of a credential: plain JSON, the same in every store. It outlives the code: members that this
 * version does not know are kept.
 *
 * @example
 * ```json
 * {
 *   "version": 1, "revision": 7, "epoch": "0b9e…", "generation": 3,
 *   "binding": { "issuer": "https://id.example.com", "clientId": "cli" }, "subject": "alice",
 *   "tokens": { "access_token": "…", "refresh_token": "…", "token_type": "Bearer", "scope": "read" },
 *   "issuedAt": 1795305600000, "lifetimeMs": 3600000, "claimRevision": 6
 * }
 * ```
 */
export interface CredentialRecord {
  /** The format of the record; a newer one is never overwritten. */
  readonly version: 1;
  /** Counts the writes of this record; what compare-and-set compares. */
  readonly revision: number;
  /** Random, drawn at each sign-in and sign-out; it never returns. */
  readonly epoch: string;
  /** Counts the exchanges within an epoch; 0 before the first tokens. */
  readonly generation: number;
  readonly binding?: Binding | undefined;
  /** The `sub` of the id tokens, where there are any. */
  readonly subject?: string | undefined;
  readonly tokens?: TokenSet | undefined;
  /** When the request that brought the access token was sent, epoch ms. */
  readonly issuedAt?: number | undefined;
  readonly lifetimeMs?: number | undefined;
  readonly refreshInMs?: number | undefined;
  /** The revision at which the claim was written whose exchange brought these tokens: orders siblings. */
  readonly claimRevision?: number | undefined;
  readonly claim?: Claim | undefined;
  /** Set by a sign-out, with the tokens removed. */
  readonly signedOut?: true | undefined;
  /** The key of DPoP-bound tokens (RFC 9449), opaque to the core. */
  readonly proofKey?: unknown;
  readonly [member: string]: unknown;
}

function unreadable(account: string, why: string): AccessTokenError {
  return new AccessTokenError(
    'ERR_STORE_FAILED',
    `The stored record of account '${account}' ${why}. It is left as it is; repair or remove it, or sign in again.`,
  );
}

function areTokens(tokens: unknown): boolean {
  if (tokens === undefined) return true;
  // Databases like to write null for what is absent.
  const isText = (token: unknown): boolean => typeof (token ?? '') === 'string';
  return isObject(tokens) && isText(tokens['access_token']) && isText(tokens['refresh_token']);
}

/** What a store returned, believed only as far as it can be understood. */
export function checkRecord(account: string, value: unknown): CredentialRecord | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) throw unreadable(account, 'is not an object');
  const { version, revision, epoch, generation, tokens } = value;
  if (typeof version === 'number' && version > 1) {
    throw unreadable(account, 'was written by a newer version of this library');
  }
  const counts = Number.isSafeInteger(revision) && Number.isSafeInteger(generation);
  const times = ['issuedAt', 'lifetimeMs', 'refreshInMs', 'claimRevision'].every(
    (name) => value[name] === undefined || Number.isFinite(value[name]),
  );
  const { claim, binding, subject, signedOut } = value;
  const claims = claim === undefined || (isObject(claim) && Number.isFinite(claim['at']));
  const owned =
    (binding === undefined || isObject(binding)) &&
    (subject === undefined || typeof subject === 'string') &&
    (signedOut === undefined || typeof signedOut === 'boolean');
  if (version !== 1 || !counts || !isFilled(epoch) || !areTokens(tokens) || !times || !claims || !owned) {
    throw unreadable(account, 'is damaged');
  }
  return value as CredentialRecord;
}

export function refreshTokenOf(record: CredentialRecord | undefined): string | undefined {
  const token = record?.tokens?.refresh_token;
  return isFilled(token) ? token : undefined;
}

export function accessTokenOf(record: CredentialRecord | undefined): string | undefined {
  const token = record?.tokens?.access_token;
  return isFilled(token) ? token : undefined;
}

/** A record that never held tokens says no more than an empty store: a claim before the first exchange leaves one. */
export function isBlank(record: CredentialRecord | undefined): boolean {
  return (
    record === undefined ||
    (record.signedOut !== true && accessTokenOf(record) === undefined && refreshTokenOf(record) === undefined)
  );
}

export interface Occasion {
  /** When the token request was sent, epoch ms; for a sign-in, now. */
  readonly sentAt: number;
  readonly binding?: Binding | undefined;
}

function validityOf(response: TokenResponse, sentAt: number, floorMs: number): Partial<CredentialRecord> {
  const lifetime = lifetimeOf(response, sentAt);
  return {
    issuedAt: sentAt,
    lifetimeMs: lifetime === undefined ? undefined : Math.max(lifetime, floorMs),
    refreshInMs: refreshInOf(response),
  };
}

/** The first record of a new epoch. */
export function signedInRecord(epoch: string, response: TokenResponse, occasion: Occasion): CredentialRecord {
  return {
    version: 1,
    revision: 0,
    epoch,
    generation: 1,
    binding: occasion.binding,
    subject: subjectOf(response),
    tokens: mergeTokens(undefined, response),
    ...validityOf(response, occasion.sentAt, 0),
  };
}

/** The marker that a sign-out leaves: nothing of the credential but that it ended. */
export function signedOutRecord(epoch: string): CredentialRecord {
  return { version: 1, revision: 0, epoch, generation: 0, signedOut: true };
}

/** What is claimed where nothing is stored yet: client credentials, a back-end with a cookie. */
export function blankRecord(epoch: string): CredentialRecord {
  return { version: 1, revision: 0, epoch, generation: 0 };
}

/**
 * The next generation. An exchange that answers a lifetime of nothing counts as one second, so that no arithmetic makes
 * us spin.
 */
export function exchangedRecord(
  claimed: CredentialRecord,
  response: TokenResponse,
  occasion: Occasion,
): CredentialRecord {
  return {
    ...claimed,
    generation: claimed.generation + 1,
    binding: claimed.binding ?? occasion.binding,
    subject: claimed.subject ?? subjectOf(response),
    tokens: mergeTokens(claimed.tokens, response),
    ...validityOf(response, occasion.sentAt, 1000),
    claimRevision: claimed.revision,
    claim: undefined,
  };
}

/** Whether the response is about somebody else than the record. */
export function isOfOtherSubject(record: CredentialRecord | undefined, response: TokenResponse): boolean {
  const subject = subjectOf(response);
  return record?.subject !== undefined && subject !== undefined && subject !== record.subject;
}

const PLACES = ['issuer', 'tokenEndpoint'] as const;

/** Bindings disagree in a place that both of them name, and where they name none in common. */
export function isOtherBinding(one: Binding | undefined, other: Binding | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  const differs = (name: keyof Binding): boolean => one[name] !== other[name];
  const shared = PLACES.filter((name) => one[name] !== undefined && other[name] !== undefined);
  // An issuer does not tell whether a token endpoint is its own: the refresh token could go anywhere.
  return differs('clientId') || (shared.length > 0 ? shared : PLACES).some(differs);
}

/**
 * What a read of the store means for what this process holds:
 * - `keep`: memory is as new, or newer (a write of ours is still to come)
 * - `adopt`: another writer is ahead
 * - `vanished`: a record that was seen is gone
 * - `other-account`: it belongs to somebody else and is never adopted
 */
export type Reading = 'keep' | 'adopt' | 'vanished' | 'other-account';

export function reconcile(
  stored: CredentialRecord | undefined,
  memory: CredentialRecord | undefined,
  binding: Binding | undefined,
): Reading {
  if (isBlank(stored)) return isBlank(memory) || memory?.signedOut ? 'keep' : 'vanished';
  const record = stored!;
  if (isOtherBinding(record.binding, binding)) return 'other-account';
  if (isBlank(memory)) return 'adopt';
  if (record.subject !== undefined && memory!.subject !== undefined && record.subject !== memory!.subject) {
    return 'other-account';
  }
  if (record.epoch !== memory!.epoch) return 'adopt';
  return record.generation > memory!.generation || isLaterSibling(record, memory!) ? 'adopt' : 'keep';
}

/** Whether both hold the tokens of one exchange, whatever was noted on them since. */
export function isSameGrant(one: CredentialRecord | undefined, other: CredentialRecord): boolean {
  return (
    one?.epoch === other.epoch &&
    one.generation === other.generation &&
    accessTokenOf(one) === accessTokenOf(other) &&
    refreshTokenOf(one) === refreshTokenOf(other)
  );
}

/** Two children of one parent: servers that keep only the newest pair keep the one that was issued later. */
function isLaterSibling(record: CredentialRecord, other: CredentialRecord): boolean {
  return record.generation === other.generation && (record.claimRevision ?? 0) > (other.claimRevision ?? 0);
}

/**
 * Who wins when the record changed between our claim and our commit: `ours` is written over the new revision, or
 * `theirs` is adopted and ours is discarded. Sign-in, sign-out and removal always win.
 */
export function resolveConflict(
  stored: CredentialRecord | undefined,
  ours: CredentialRecord,
): 'ours' | 'theirs' {
  if (stored === undefined || stored.signedOut || stored.epoch !== ours.epoch) return 'theirs';
  if (stored.generation > ours.generation || isLaterSibling(stored, ours)) return 'theirs';
  return 'ours';
}
