import { AccessTokenError, type CredentialRecord } from '@unexpired/core';

type Members = Readonly<Record<string, unknown>>;

/**
 * What the file holds: `{ "version": 1, "accounts": { "default": { … } } }`, each account a credential record. Other
 * members are kept, in the document and in the records.
 */
export interface Credentials {
  readonly version: 1;
  readonly accounts: Members;
  readonly [member: string]: unknown;
}

export const NO_CREDENTIALS: Credentials = { version: 1, accounts: {} };

/** The file is there and cannot be understood: only a sign-in may put it aside. */
export class UnreadableCredentials extends AccessTokenError {
  constructor(path: string, why: string) {
    super(
      'ERR_STORE_FAILED',
      `The credentials file ${path} ${why}. It is left as it is; repair or remove it, or sign in again.`,
    );
  }
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parsed(bytes: Uint8Array): unknown {
  try {
    // Fatal: what is not UTF-8 would be changed by writing it back. A byte order mark is passed over.
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    // The error of JSON.parse quotes the text, which may be a token.
    return undefined;
  }
}

/** @throws UnreadableCredentials where it is broken, another program's, or a newer version's */
export function parseCredentials(bytes: Uint8Array, path: string): Credentials {
  const document = parsed(bytes);
  if (document === undefined) throw new UnreadableCredentials(path, 'is not valid JSON');
  if (!isMembers(document)) throw new UnreadableCredentials(path, 'is not a JSON object');
  const { version, accounts } = document;
  if (typeof version === 'number' && version > 1) {
    throw new UnreadableCredentials(path, 'was written by a newer version of this library');
  }
  if (version !== 1 || !isMembers(accounts)) {
    throw new UnreadableCredentials(path, 'was not written by this library, or is damaged');
  }
  return { ...document, version, accounts };
}

export function serializeCredentials(credentials: Credentials): string {
  return `${JSON.stringify(credentials, undefined, 2)}\n`;
}

/** What is stored of an account, believed by nobody yet; null is nothing. */
export function entryOf({ accounts }: Credentials, account: string): unknown {
  return Object.hasOwn(accounts, account) ? (accounts[account] ?? undefined) : undefined;
}

export function withEntry(credentials: Credentials, account: string, record: CredentialRecord): Credentials {
  // A computed name is a member like any other, `__proto__` too.
  return { ...credentials, accounts: { ...credentials.accounts, [account]: record } };
}

/** Whether the entry has the revision that a writer expects; one that is damaged has none, and is not nothing. */
export function hasRevision(entry: unknown, expected: number | undefined): boolean {
  if (entry === undefined) return expected === undefined;
  return isMembers(entry) && expected !== undefined && entry['revision'] === expected;
}
