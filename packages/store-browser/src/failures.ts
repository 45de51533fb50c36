import { AccessTokenError } from '@unexpired/core';

function failed(message: string): AccessTokenError {
  return new AccessTokenError('ERR_STORE_FAILED', message);
}

/** There is no substitute: without a lock tabs would spend one refresh token twice, without a database lose it. */
export function requireBrowser(): void {
  if (globalThis.isSecureContext === false) {
    throw failed(
      'This page is no secure context, where browsers have no locks to share a credential with. ' +
        'Serve it over https, or from localhost.',
    );
  }
  const { indexedDB, navigator } = globalThis as Partial<typeof globalThis>;
  const missing = [
    indexedDB === undefined && 'IndexedDB',
    navigator?.locks === undefined && 'Web Locks (`navigator.locks`)',
  ].filter((name) => name !== false);
  if (missing.length === 0) return;
  throw failed(
    `The browser store needs ${missing.join(' and ')}, which are not here. Outside a browser, use another store.`,
  );
}

const KEEPS_NOTHING =
  'the browser lets this page keep nothing (site data or cookies are blocked, a private window, a sandboxed frame)';

const CLOSED = 'the browser closed it, as when site data are cleared or the disk fails';

type Reasons = ReadonlyMap<unknown, string>;

const DATABASE_REASONS: Reasons = new Map([
  ['SecurityError', KEEPS_NOTHING],
  ['AbortError', CLOSED],
  ['InvalidStateError', CLOSED],
  ['QuotaExceededError', 'there is no room left for this site'],
  ['UnknownError', CLOSED],
  ['VersionError', 'its database was made by a newer version of this library'],
  ['NotFoundError', 'its database was made by another program'],
]);

const LOCK_REASONS: Reasons = new Map([
  ['SecurityError', KEEPS_NOTHING],
  ['InvalidStateError', 'this page is no longer shown'],
]);

function nameOf(error: unknown): unknown {
  return (error as { readonly name?: unknown }).name;
}

function reasonOf(error: unknown, reasons: Reasons): string {
  return reasons.get(nameOf(error)) ?? `the browser gave no reason but ${String(nameOf(error))}`;
}

/** Whether the connection ended with what was asked of it undone, so that a new one may do better. */
export function isClosed(error: unknown): boolean {
  return DATABASE_REASONS.get(nameOf(error)) === CLOSED;
}

/** What went wrong, by name alone: the text differs from browser to browser, and nobody knows what is in it. */
export function databaseFailure(error: unknown): AccessTokenError {
  return failed(`IndexedDB could not be used: ${reasonOf(error, DATABASE_REASONS)}.`);
}

export function lockFailure(error: unknown): AccessTokenError {
  return failed(`Web Locks could not be used: ${reasonOf(error, LOCK_REASONS)}.`);
}

export function damaged(account: string): AccessTokenError {
  return failed(`What IndexedDB holds for account '${account}' is not a record. Only a sign-in replaces it.`);
}
