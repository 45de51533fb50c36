import { instantOf, type Clock, type Instant } from './clock.ts';
import { runInside } from './context.ts';
import { AccessTokenError } from './errors.ts';
import type { EventDetails, EventType, TokenEvent, TokenEventListener } from './events.ts';
import type { Timing, Validity } from './expiry.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { Gate } from './gate.ts';
import { isUsable, type Held } from './lifecycle.ts';
import type { OriginGates } from './origin-gates.ts';
import { accessTokenOf, refreshTokenOf, type Binding, type CredentialRecord } from './record.ts';
import type { ExclusiveSection, TokenStore } from './token-store.ts';

/** One generation of the credential as this process holds it. Replaced as a whole, so that no reader sees a mixture. */
export interface Snapshot extends Held {
  readonly record: CredentialRecord;
  readonly accessToken: string | undefined;
  readonly validity: Validity;
  /** The one thing that changes: a resource server refused this access token. */
  refused: boolean;
}

/** A record that the store does not have yet. */
export interface Unwritten {
  readonly record: CredentialRecord;
  /** What it may be written over: sign-in and sign-out win over anything, first tokens only over nothing. */
  readonly over: 'anything' | 'parent' | 'nothing';
  /** The revision it replaces; 'unread' until the store was read. */
  expected: number | undefined | 'unread';
  /** Gives tokens back whose place a sign-in or sign-out elsewhere took. */
  readonly giveBack?: (() => void) | undefined;
  /** The one attempt to write it that is under way. */
  writing: Promise<void> | undefined;
  /** Attempts that failed. */
  failures: number;
  /** The next attempt waits for its time. */
  isDue: boolean;
}

/** The one refresh under way. It resolves when there is something to decide anew, and rejects for all who wait. */
export interface Flight {
  result: Promise<void>;
  /** What callers wait for: the flight, or tokens that came without it. */
  awaited: Promise<void>;
  /** Tokens came without it, or a sign-out. Who joins after that waits for the flight itself. */
  overtake(): void;
  readonly forced: boolean;
  /** Whether it brought tokens by an exchange of its own, rather than by adoption. */
  exchanged: boolean;
}

/** What the sources over one account of one store share in this process. */
export interface Credential {
  readonly store: TokenStore;
  readonly account: string;
  readonly clock: Clock;
  readonly random: () => number;
  /** Made when there is one, as the gates are: most accounts have neither. */
  listeners: Set<TokenEventListener> | undefined;
  originGates: OriginGates | undefined;
  binding: Binding | undefined;
  snapshot: Snapshot | undefined;
  gate: Gate | undefined;
  flight: Flight | undefined;
  unwritten: Unwritten | undefined;
  /** Open while a flight runs, and for as long after it as tokens are unwritten. */
  section: { readonly section: ExclusiveSection; readonly leave: () => void } | undefined;
  /** The highest that was read or written: whatever is written next counts on from it. */
  revision: number;
  /** The last epochs that a sign-in or sign-out replaced; made when there is one. */
  left: readonly string[] | undefined;
  /** The store had a record when it was last read or written. */
  seen: boolean;
  unreadable: boolean;
  lastReadAt: Instant | undefined;
  /** Why the last flight failed; undefined once there is news. */
  lastError: AccessTokenError | undefined;
  /** A stored record won over another refresh token that was given as `tokens`. */
  seedIgnored: boolean;
  /** The last write of the store that is under way. */
  writing: Promise<boolean> | undefined;
  /** The first read of the store, and the revision that it found. */
  loading: Promise<number | undefined> | undefined;
  /** What is claimed where nothing is stored: one epoch for as long as nothing is. */
  blank: CredentialRecord | undefined;
  /** The one shared re-read under way. */
  reading: Promise<void> | undefined;
}

export function createCredential(
  store: TokenStore,
  account: string,
  environment: { clock: Clock; random: () => number },
): Credential {
  return {
    store,
    account,
    clock: environment.clock,
    random: environment.random,
    listeners: undefined,
    originGates: undefined,
    binding: undefined,
    snapshot: undefined,
    gate: undefined,
    flight: undefined,
    unwritten: undefined,
    section: undefined,
    revision: 0,
    left: undefined,
    seen: false,
    unreadable: false,
    lastReadAt: undefined,
    lastError: undefined,
    seedIgnored: false,
    writing: undefined,
    loading: undefined,
    blank: undefined,
    reading: undefined,
  };
}

const fingerprints = new WeakMap<CredentialRecord, string>();

/** Of the access token, or of the refresh token where that is all there is; computed when it is first asked for. */
export function fingerprintOfRecord(record: CredentialRecord | undefined): string | undefined {
  const token = accessTokenOf(record) ?? refreshTokenOf(record);
  if (record === undefined || token === undefined) return undefined;
  const known = fingerprints.get(record) ?? fingerprintOf(token);
  fingerprints.set(record, known);
  return known;
}

/** What a gate is keyed by: another refresh token opens it, and so does another epoch where there is none. */
export function credentialKey(record: CredentialRecord | undefined): string {
  const refreshToken = refreshTokenOf(record);
  return refreshToken === undefined ? (record?.epoch ?? '') : fingerprintOf(refreshToken);
}

/** Tells every source over the credential. A listener that throws breaks nothing and nobody. */
export function emit<T extends EventType>(credential: Credential, type: T, details: EventDetails[T]): void {
  const { listeners } = credential;
  if (listeners === undefined || listeners.size === 0) return;
  const record = credential.snapshot?.record;
  const event = Object.freeze({
    type,
    at: credential.clock.now(),
    account: credential.account,
    generation: record?.generation ?? 0,
    fingerprint: fingerprintOfRecord(record),
    ...details,
  }) as unknown as TokenEvent;
  // Outside of the flight's context: a listener may call the source.
  runInside(undefined, () => {
    // What a listener throws, or rejects with, is its own affair.
    for (const listener of listeners) void (async () => listener(event))().catch(() => undefined);
  });
}

function validityOf(credential: Credential, record: CredentialRecord, sentAt: Instant | undefined): Validity {
  const now = instantOf(credential.clock);
  const age = now.wall - (record.issuedAt ?? now.wall);
  return {
    since: sentAt ?? { wall: now.wall - Math.max(0, age), mono: now.mono - Math.max(0, age) },
    lifetimeMs: record.lifetimeMs,
    refreshInMs: record.refreshInMs,
    fromTheFuture: age < 0 && sentAt === undefined,
    jitter: credential.random(),
  };
}

const LEFT_EPOCHS = 16;

/** An epoch never returns: an old program wrote back what it had read before a sign-in or sign-out. */
export function isLeft({ left, revision }: Credential, stored: CredentialRecord | undefined): boolean {
  // Above all that was seen, another process decided for it: two that disagreed would never end.
  return stored !== undefined && stored.revision < revision && left?.includes(stored.epoch) === true;
}

function leave(credential: Credential, before: string | undefined, now: string): void {
  if (before === undefined || before === now) return;
  const others = (credential.left ?? []).filter((epoch) => epoch !== now && epoch !== before);
  credential.left = [...others, before].slice(-LEFT_EPOCHS);
}

/** Memory first: from here on every caller sees this generation. Another credential opens the gate. */
export function install(credential: Credential, record: CredentialRecord, sentAt?: Instant): void {
  const accessToken = accessTokenOf(record);
  const previous = credential.snapshot;
  leave(credential, previous?.record.epoch, record.epoch);
  credential.snapshot = {
    record,
    accessToken,
    validity: validityOf(credential, record, sentAt),
    refused:
      previous !== undefined &&
      previous.refused &&
      previous.accessToken === accessToken &&
      sentAt === undefined,
  };
  if (credential.gate?.credential !== credentialKey(record)) {
    credential.gate = undefined;
    credential.lastError = undefined;
  }
}

/** Whether the access token works, by the timing of who asks. */
export function isWorking({ snapshot }: Credential, timing: Timing, now: Instant): boolean {
  return snapshot?.accessToken !== undefined && isUsable(snapshot, timing, now);
}

function signedOutError(reason: 'sign-out' | 'vanished'): AccessTokenError {
  const what = reason === 'sign-out' ? 'The account is signed out' : 'The stored credential was removed';
  return new AccessTokenError(
    'ERR_REAUTHENTICATION_REQUIRED',
    `${what}. Sign in again and hand the token response to signIn().`,
    { permanent: true },
  );
}

export function closeForGood(credential: Credential, reason: 'sign-out' | 'vanished'): void {
  credential.gate = {
    since: instantOf(credential.clock),
    durationMs: Number.POSITIVE_INFINITY,
    error: signedOutError(reason),
    credential: credentialKey(credential.snapshot?.record),
    failures: 0,
    whileUsable: false,
    refused: false,
  };
}
