import { expect, test } from '@jest/globals';
import { AccessTokenError, createMemoryStore, createStoreFrom, type CredentialRecord } from '@unexpired/core';
import fc from 'fast-check';
import { runs } from '../../../test/runs.ts';
import {
  accessTokenOf,
  checkRecord,
  exchangedRecord,
  refreshTokenOf,
  signedInRecord,
} from '../src/record.ts';
import type { TokenResponse } from '../src/token-response.ts';

const SENT_AT = Date.UTC(2026, 0, 1);
const LONGEST_MS = 400 * 24 * 3_600_000;

const seconds = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.double().map(String),
  fc.bigInt().map(String),
  fc.constantFrom('', ' ', '5', 'soon', '0x10', '1e400', Number.MAX_VALUE, -0),
  fc.jsonValue(),
);
const text = fc.oneof(fc.string({ minLength: 1 }), fc.string({ unit: 'binary' }), fc.jsonValue());
/** What a token endpoint, or a refresh function, may say beside an access token. */
const responses = fc
  .record(
    {
      access_token: fc.string({ minLength: 1 }),
      refresh_token: text,
      expires_in: seconds,
      expires_at: seconds,
      refresh_in: seconds,
      id_token: fc.oneof(
        text,
        fc.jsonValue().map((claims) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`),
      ),
      scope: text,
      token_type: text,
      more: fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true }),
    },
    { requiredKeys: ['access_token'] },
  )
  .map((response) => response as TokenResponse);

/** As a store gives it back that keeps JSON. */
const kept = (record: CredentialRecord): unknown => JSON.parse(JSON.stringify(record));

function recordOf(first: TokenResponse, next: TokenResponse): CredentialRecord {
  const signedIn = { ...signedInRecord('e1', first, { sentAt: SENT_AT }), revision: 1 };
  return exchangedRecord({ ...signedIn, claim: { at: SENT_AT } }, next, { sentAt: SENT_AT });
}

test('whatever a token response holds, the record of it is read back from any store as it was', () => {
  fc.assert(
    fc.property(responses, responses, (first, next) => {
      const record = recordOf(first, next);
      const stored = checkRecord('default', kept(record))!;

      expect(stored).toEqual(kept(record));
      expect(accessTokenOf(stored)).toBe(next.access_token);
      expect(refreshTokenOf(stored)).toBe(refreshTokenOf(record));
      const { issuedAt, lifetimeMs, refreshInMs, subject } = stored;
      expect({ issuedAt, lifetimeMs, refreshInMs, subject }).toEqual({
        issuedAt: SENT_AT,
        lifetimeMs: record.lifetimeMs,
        // JSON knows no negative zero.
        refreshInMs: record.refreshInMs === undefined ? undefined : record.refreshInMs + 0,
        subject: record.subject,
      });
    }),
    runs(500),
  );
});

test('no lifetime of a record is negative, endless, or longer than 400 days', () => {
  fc.assert(
    fc.property(responses, responses, (first, next) => {
      const { lifetimeMs = 1000, refreshInMs = 0 } = recordOf(first, next);
      const { lifetimeMs: firstMs = 0 } = signedInRecord('e1', first, { sentAt: SENT_AT });

      for (const [ms, floor] of [
        [lifetimeMs, 1000],
        [refreshInMs, 0],
        [firstMs, 0],
      ] as const) {
        expect(ms).toBeGreaterThanOrEqual(floor);
        expect(ms).toBeLessThanOrEqual(LONGEST_MS);
      }
    }),
    runs(500),
  );
});

const members = fc.dictionary(
  fc.oneof(fc.string({ minLength: 1 }), fc.constantFrom('futureMember', 'toString', 'constructor')),
  fc.jsonValue(),
  { noNullPrototype: true },
);
const known = new Set(
  'version revision epoch generation binding subject tokens issuedAt lifetimeMs refreshInMs claimRevision claim signedOut'.split(
    ' ',
  ),
);

test('what this version does not know of a record outlives an exchange', () => {
  const unknown = members.map((given) =>
    Object.fromEntries(Object.entries(given).filter(([name]) => !known.has(name) && name !== '__proto__')),
  );
  fc.assert(
    fc.property(unknown, responses, (others, next) => {
      const record = { ...signedInRecord('e1', { access_token: 'a' }, { sentAt: SENT_AT }), ...others };
      const later = exchangedRecord(checkRecord('default', record)!, next, { sentAt: SENT_AT });

      for (const [name, value] of Object.entries(others)) {
        expect(Object.getOwnPropertyDescriptor(later, name)?.value).toEqual(value);
      }
    }),
    runs(200),
  );
});

test('a record of a newer version, whatever it holds, is refused and told without its content', () => {
  const canary = 'canary-7c21';
  const values = fc.oneof(fc.constant(canary), members, fc.array(fc.constant(canary)), fc.jsonValue());
  const names = fc.constantFrom(...known, 'more', canary);
  fc.assert(
    fc.property(
      fc.dictionary(names, values, { noNullPrototype: true }),
      fc.double({ min: 1, minExcluded: true, noNaN: true }),
      (given, version) => {
        const read = (): unknown => checkRecord('default', { ...given, version });

        expect(read).toThrow(AccessTokenError);
        expect(read).toThrow(
          /^The stored record of account 'default' was written by a newer version(?!.*canary)/,
        );
      },
    ),
    runs(300),
  );
});

test('damage of one member is seen, or does no harm, and is told without a token', () => {
  const tokens = { access_token: 'canary-a', refresh_token: 'canary-r' };
  const whole = { ...signedInRecord('e1', tokens, { sentAt: SENT_AT }), claim: { at: 1 }, claimRevision: 1 };
  fc.assert(
    fc.property(fc.constantFrom(...known), fc.jsonValue(), (name, value) => {
      try {
        const record = checkRecord('default', { ...(kept(whole) as object), [name]: value });
        for (const time of ['issuedAt', 'lifetimeMs', 'refreshInMs', 'claimRevision'] as const) {
          expect(Number.isFinite(record?.[time] ?? 0)).toBe(true);
        }
        const next = record && exchangedRecord(record, { access_token: 'a' }, { sentAt: SENT_AT });
        expect(checkRecord('default', next)).toBe(next);
      } catch (error) {
        expect(error).toMatchObject({ name: 'AccessTokenError', code: 'ERR_STORE_FAILED' });
        expect(String(error)).not.toMatch(/canary/);
      }
    }),
    runs(500),
  );
});

test('a record that was written is read as it was, by compare-and-set of its revision', async () => {
  await fc.assert(
    fc.asyncProperty(responses, responses, fc.nat(9), async (first, next, revision) => {
      const rows = new Map<string, CredentialRecord>();
      const storage = {
        load: (account: string) => rows.get(account),
        save: (account: string, record: CredentialRecord) => rows.set(account, record),
      };
      const record = { ...recordOf(first, next), revision };
      for (const store of [createMemoryStore(), createStoreFrom(storage)]) {
        expect(await store.write('a', record, undefined)).toBe(true);
        expect(await store.write('a', { ...record, revision: 99 }, revision + 1)).toBe(false);
        expect(kept((await store.read('a'))!)).toEqual(kept(record));
        expect(await store.read('b')).toBeUndefined();
      }
    }),
    runs(100),
  );
});
