import { AccessTokenError, type CredentialRecord } from '@unexpired/core';
import { damaged, databaseFailure, isClosed, requireBrowser } from './failures.ts';

const VERSION = 1;
/** By account. */
const RECORDS = 'records';
/** By account: what a sign-in was written over because it could not be read. */
const ASIDE = 'aside';

function resultOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error!);
  });
}

function openDatabase(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, VERSION);
  request.onupgradeneeded = () => {
    for (const store of [RECORDS, ASIDE]) request.result.createObjectStore(store);
  };
  return resultOf(request);
}

function ended(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new DOMException('', 'AbortError'));
  });
}

interface Transaction<T> {
  readonly database: string;
  readonly mode: IDBTransactionMode;
  readonly use: (store: (name: string) => IDBObjectStore) => Promise<T>;
}

/** Opens the database for this one transaction: an idle connection is in the way of whoever deletes the database. */
async function attempt<T>({ database: name, mode, use }: Transaction<T>): Promise<T> {
  const database = await openDatabase(name);
  try {
    const transaction = database.transaction([RECORDS, ASIDE], mode, { durability: 'strict' });
    const [result] = await Promise.all([use((store) => transaction.objectStore(store)), ended(transaction)]);
    return result;
  } finally {
    database.close();
  }
}

/** Who clears site data ends a transaction, and then the connection that is opened next. */
const ATTEMPTS = 3;

async function transact<T>(transaction: Transaction<T>, attempts = ATTEMPTS): Promise<T> {
  try {
    requireBrowser();
    return await attempt(transaction);
  } catch (error) {
    if (isClosed(error) && attempts > 1) return transact(transaction, attempts - 1);
    throw error instanceof AccessTokenError ? error : databaseFailure(error);
  }
}

function recordIn(account: string, stored: unknown): CredentialRecord | undefined {
  if (stored === undefined) return undefined;
  if (Number.isFinite((stored as Partial<CredentialRecord> | null)?.revision))
    return stored as CredentialRecord;
  throw damaged(account);
}

export function readRecord(database: string, account: string): Promise<CredentialRecord | undefined> {
  return transact({
    database,
    mode: 'readonly',
    use: async (store) => recordIn(account, await resultOf(store(RECORDS).get(account))),
  });
}

/** Compares and sets in one transaction, durably when it settles. */
export function writeRecord(
  database: string,
  { account, record }: { readonly account: string; readonly record: CredentialRecord },
  expected: number | undefined | 'replace',
): Promise<boolean> {
  const use: Transaction<boolean>['use'] = async (store) => {
    const stored: unknown = await resultOf(store(RECORDS).get(account));
    if (expected === 'replace') {
      if (stored !== undefined) await resultOf(store(ASIDE).put(stored, account));
    } else if (recordIn(account, stored)?.revision !== expected) {
      return false;
    }
    // Plain JSON: members that are undefined are left out, as every store does.
    await resultOf(store(RECORDS).put(JSON.parse(JSON.stringify(record)), account));
    return true;
  };
  return transact({ database, mode: 'readwrite', use });
}
