import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { runs } from '../../../test/runs.ts';
import { isAccessTokenError } from '../src/errors.ts';
import {
  accessTokenOf,
  blankRecord,
  checkRecord,
  exchangedRecord,
  isBlank,
  isOfOtherSubject,
  isOtherBinding,
  isSameGrant,
  reconcile,
  refreshTokenOf,
  resolveConflict,
  signedInRecord,
  signedOutRecord,
  type CredentialRecord,
} from '../src/record.ts';

const SENT_AT = 1_800_000_000_000;
const binding = { issuer: 'https://id.example.com', clientId: 'cli' };
const otherBinding = { issuer: 'https://id.example.com', clientId: 'web' };

const full: CredentialRecord = {
  version: 1,
  revision: 7,
  epoch: 'e1',
  generation: 3,
  binding,
  subject: 'alice',
  tokens: { access_token: 'a3', refresh_token: 'r3', token_type: 'Bearer' },
  issuedAt: SENT_AT,
  lifetimeMs: 3_600_000,
  refreshInMs: 1_800_000,
  claimRevision: 6,
};
const blank = blankRecord('e1');
const signedOut = signedOutRecord('e2');

const idToken = (sub: string): string => `e30.${btoa(JSON.stringify({ sub }))}.sig`;

describe('checkRecord', () => {
  const { claim: _, ...bare } = { ...full, claim: { at: SENT_AT } };

  test.each([
    ['a whole record', full],
    ['a record with a claim', { ...full, claim: { at: SENT_AT, holder: 'pid 5' } }],
    ['a record with members of a later minor form', { ...full, color: 'blue', proofKey: { kty: 'EC' } }],
    ['a blank record', blank],
    ['a sign-out', signedOut],
    ['a refresh token alone', { ...blank, tokens: { refresh_token: 'r' } }],
    [
      'a token that is null, as databases write it',
      { ...full, tokens: { access_token: 'a', refresh_token: null } },
    ],
    ['what went through JSON', JSON.parse(JSON.stringify({ ...full, claim: undefined })) as unknown],
    ['a record without optional members', bare],
  ])('believes %s, and keeps all of it', (_, record) => {
    expect(checkRecord('default', record)).toBe(record);
  });

  test.each([undefined, null])('takes %p for nothing stored', (value) => {
    expect(checkRecord('default', value)).toBeUndefined();
  });

  const text = (why: string): string =>
    `The stored record of account 'alice' ${why}. It is left as it is; repair or remove it, or sign in again.`;

  test.each([
    ['a string', 'x', 'is not an object'],
    ['a list', [full], 'is not an object'],
    ['false', false, 'is not an object'],
    ['a newer version', { ...full, version: 2 }, 'was written by a newer version of this library'],
    ['a newer version of another form', { version: 3 }, 'was written by a newer version of this library'],
    ['an empty object', {}, 'is damaged'],
    ['a version of 0', { ...full, version: 0 }, 'is damaged'],
    ['a version as text', { ...full, version: '1' }, 'is damaged'],
    ['a later version as text', { ...full, version: '2' }, 'is damaged'],
    ['no version', { ...full, version: undefined }, 'is damaged'],
    ['no revision', { ...full, revision: undefined }, 'is damaged'],
    ['a broken revision', { ...full, revision: 0.5 }, 'is damaged'],
    ['a revision as text', { ...full, revision: '7' }, 'is damaged'],
    ['no generation', { ...full, generation: undefined }, 'is damaged'],
    ['a generation beyond counting', { ...full, generation: 2 ** 53 }, 'is damaged'],
    ['no epoch', { ...full, epoch: undefined }, 'is damaged'],
    ['an empty epoch', { ...full, epoch: '' }, 'is damaged'],
    ['a numeric epoch', { ...full, epoch: 5 }, 'is damaged'],
    ['tokens as text', { ...full, tokens: 'a' }, 'is damaged'],
    ['tokens as a list', { ...full, tokens: ['a'] }, 'is damaged'],
    ['tokens that are null', { ...full, tokens: null }, 'is damaged'],
    ['an access token that is no text', { ...full, tokens: { access_token: 5 } }, 'is damaged'],
    ['a refresh token that is no text', { ...full, tokens: { refresh_token: {} } }, 'is damaged'],
    ['an instant as text', { ...full, issuedAt: '2026' }, 'is damaged'],
    ['a lifetime that is null', { ...full, lifetimeMs: null }, 'is damaged'],
    ['a lifetime that is NaN', { ...full, lifetimeMs: Number.NaN }, 'is damaged'],
    ['a refresh_in without end', { ...full, refreshInMs: Infinity }, 'is damaged'],
    ['a claim revision as text', { ...full, claimRevision: '6' }, 'is damaged'],
    ['a claim that is true', { ...full, claim: true }, 'is damaged'],
    ['a claim without its time', { ...full, claim: {} }, 'is damaged'],
    ['a claim with its time as text', { ...full, claim: { at: 'now' } }, 'is damaged'],
    ['a binding as text', { ...full, binding: 'cli' }, 'is damaged'],
    ['a binding that is null', { ...full, binding: null }, 'is damaged'],
    ['a subject that is no text', { ...full, subject: 5 }, 'is damaged'],
    ['a sign-out as text', { ...full, signedOut: 'no' }, 'is damaged'],
  ])('refuses %s', (_, value, why) => {
    const thrown = catchFrom(() => checkRecord('alice', value));

    expect(thrown).toMatchObject({ code: 'ERR_STORE_FAILED', message: text(why) });
  });

  test('lets no garbage through, and throws nothing but an AccessTokenError', () => {
    const member = <T>(right: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
      fc.oneof({ weight: 4, arbitrary: right }, { weight: 1, arbitrary: fc.anything() });
    const records = fc.record(
      {
        version: member(fc.constant(1)),
        revision: member(fc.nat()),
        epoch: member(fc.constant('e1')),
        generation: member(fc.nat()),
        binding: member(fc.constant(binding)),
        subject: member(fc.constant('alice')),
        tokens: member(fc.constant({ access_token: 'a', refresh_token: 'r' })),
        issuedAt: member(fc.nat()),
        lifetimeMs: member(fc.nat()),
        claim: member(fc.constant({ at: 5 })),
        signedOut: member(fc.constant(true)),
      },
      { requiredKeys: ['version', 'revision', 'epoch', 'generation'] },
    );
    fc.assert(
      fc.property(fc.oneof({ weight: 4, arbitrary: records }, fc.anything()), (value) => {
        let record: CredentialRecord | undefined;
        try {
          record = checkRecord('default', value);
        } catch (error) {
          expect(isAccessTokenError(error)).toBe(true);
          return;
        }

        // Whatever passed can be used by everything that reads a record.
        isBlank(record);
        expect(['keep', 'adopt', 'vanished', 'other-account']).toContain(reconcile(record, full, binding));
        expect(['ours', 'theirs']).toContain(resolveConflict(record, full));
        isOfOtherSubject(record, { id_token: idToken('bob') });
        expect(typeof (accessTokenOf(record) ?? '')).toBe('string');
        expect(typeof (refreshTokenOf(record) ?? '')).toBe('string');
        if (record !== undefined) {
          const next = exchangedRecord(record, { access_token: 'a' }, { sentAt: SENT_AT });
          expect(checkRecord('default', next)).toBe(next);
        }
      }),
      runs(1000),
    );
  });
});

function catchFrom(task: () => unknown): unknown {
  try {
    return task();
  } catch (error) {
    return error;
  }
}

describe('what a record holds', () => {
  test.each([
    [full, 'a3', 'r3', false],
    [{ ...blank, tokens: { access_token: 'a' } }, 'a', undefined, false],
    [{ ...blank, tokens: { refresh_token: 'r' } }, undefined, 'r', false],
    [{ ...blank, tokens: { access_token: '', refresh_token: '' } }, undefined, undefined, true],
    [{ ...blank, tokens: {} }, undefined, undefined, true],
    [blank, undefined, undefined, true],
    [signedOut, undefined, undefined, false],
    [undefined, undefined, undefined, true],
  ])('%#', (record, accessToken, refreshToken, isEmpty) => {
    expect([accessTokenOf(record), refreshTokenOf(record), isBlank(record)]).toEqual([
      accessToken,
      refreshToken,
      isEmpty,
    ]);
  });
});

describe('a sign-in', () => {
  test('begins an epoch', () => {
    const response = {
      access_token: 'a1',
      refresh_token: 'r1',
      expires_in: 60,
      refresh_in: 30,
      id_token: idToken('alice'),
      tenant: 't',
    };

    expect(signedInRecord('e9', response, { sentAt: SENT_AT, binding })).toEqual({
      version: 1,
      revision: 0,
      epoch: 'e9',
      generation: 1,
      binding,
      subject: 'alice',
      tokens: { access_token: 'a1', refresh_token: 'r1', id_token: response.id_token, tenant: 't' },
      issuedAt: SENT_AT,
      lifetimeMs: 60_000,
      refreshInMs: 30_000,
    });
  });

  test.each([
    [0, 0],
    [-60, 0],
    [undefined, undefined],
  ])('with a lifetime of %p s lives %p ms', (expires_in, lifetimeMs) => {
    expect(signedInRecord('e9', { access_token: 'a', expires_in }, { sentAt: SENT_AT }).lifetimeMs).toBe(
      lifetimeMs,
    );
  });
});

test('a sign-out leaves nothing of the credential', () => {
  expect(signedOut).toEqual({ version: 1, revision: 0, epoch: 'e2', generation: 0, signedOut: true });
});

test('a blank record has nothing but an epoch', () => {
  expect(blank).toEqual({ version: 1, revision: 0, epoch: 'e1', generation: 0 });
});

describe('an exchange', () => {
  const claimed: CredentialRecord = { ...full, revision: 8, claim: { at: SENT_AT }, color: 'blue' };

  test('makes the next generation, and keeps what it does not know', () => {
    const before = structuredClone(claimed);
    const next = exchangedRecord(
      claimed,
      { access_token: 'a4', expires_in: 60 },
      { sentAt: SENT_AT + 5, binding: otherBinding },
    );

    expect(next).toEqual({
      ...full,
      revision: 8,
      generation: 4,
      tokens: { access_token: 'a4', refresh_token: 'r3', token_type: 'Bearer' },
      issuedAt: SENT_AT + 5,
      lifetimeMs: 60_000,
      refreshInMs: undefined,
      claimRevision: 8,
      claim: undefined,
      color: 'blue',
    });
    expect(claimed).toEqual(before);
  });

  test('takes binding and subject where none were known', () => {
    const response = { access_token: 'a1', id_token: idToken('bob') };

    expect(exchangedRecord(blank, response, { sentAt: SENT_AT, binding })).toMatchObject({
      binding,
      subject: 'bob',
      generation: 1,
    });
  });

  test.each([
    [0, 1000],
    [-5, 1000],
    [0.2, 1000],
    [1, 1000],
    [2, 2000],
    [undefined, undefined],
    ['odd', undefined],
  ])('with a lifetime of %p s lives %p ms', (expires_in, lifetimeMs) => {
    const next = exchangedRecord(claimed, { access_token: 'a', expires_in }, { sentAt: SENT_AT });

    expect(next.lifetimeMs).toBe(lifetimeMs);
  });
});

describe('isOfOtherSubject', () => {
  test.each([
    ['the same', full, { id_token: idToken('alice') }, false],
    ['another', full, { id_token: idToken('bob') }, true],
    ['an answer without one', full, {}, false],
    ['a record without one', blank, { id_token: idToken('bob') }, false],
    ['no record', undefined, { id_token: idToken('bob') }, false],
  ])('%s: %#', (_, record, response, expected) => {
    expect(isOfOtherSubject(record, response)).toBe(expected);
  });
});

describe('isOtherBinding', () => {
  const endpoint = { tokenEndpoint: 'https://id.example.com/token', clientId: 'cli' };

  test.each([
    ['the same', binding, { ...binding }, false],
    ['another client', binding, otherBinding, true],
    ['another issuer', binding, { ...binding, issuer: 'https://other.example' }, true],
    ['another token endpoint', endpoint, { ...endpoint, tokenEndpoint: 'https://other.example' }, true],
    ['an issuer here, a token endpoint there', binding, endpoint, true],
    ['an issuer beside the same token endpoint', { ...binding, ...endpoint }, endpoint, false],
    ['an issuer here, no place there', binding, { clientId: 'cli' }, true],
    ['no place in either', { clientId: 'cli' }, { clientId: 'cli' }, false],
    ['an issuer here, a token endpoint of another client there', otherBinding, endpoint, true],
    ['none here', undefined, binding, false],
    ['none there', binding, undefined, false],
  ])('%s', (_, one, other, expected) => {
    expect(isOtherBinding(one, other)).toBe(expected);
    expect(isOtherBinding(other, one)).toBe(expected);
  });
});

const newer = { ...full, generation: 4 };
const older = { ...full, generation: 2 };
const laterSibling = { ...full, claimRevision: 9 };
const earlierSibling = { ...full, claimRevision: 5 };
const otherEpoch = { ...full, epoch: 'e0', generation: 1 };
const ofBob = { ...full, generation: 9, subject: 'bob' };
const signInOfBob = { ...ofBob, epoch: 'e0' };

describe('a read of the store', () => {
  test.each([
    ['nothing, with nothing in memory', undefined, undefined, 'keep'],
    ['a blank record, with nothing in memory', blank, undefined, 'keep'],
    ['nothing, after a sign-out', undefined, signedOut, 'keep'],
    ['nothing, with tokens in memory', undefined, full, 'vanished'],
    ['a blank record, with tokens in memory', blank, full, 'vanished'],
    ['tokens, with nothing in memory', full, undefined, 'adopt'],
    ['tokens, with a blank record in memory', full, blank, 'adopt'],
    ['a sign-out, with nothing in memory', signedOut, undefined, 'adopt'],
    ['a sign-out, with tokens in memory', signedOut, full, 'adopt'],
    ['tokens, after a sign-out', full, signedOut, 'adopt'],
    ['the same', full, full, 'keep'],
    ['the same with a claim', { ...full, revision: 8, claim: { at: 1 } }, full, 'keep'],
    ['a newer generation', newer, full, 'adopt'],
    ['an older generation', older, full, 'keep'],
    ['a sibling that was claimed later', laterSibling, full, 'adopt'],
    ['a sibling that was claimed earlier', earlierSibling, full, 'keep'],
    ['a sibling of an unknown claim', { ...full, claimRevision: undefined }, full, 'keep'],
    ['an older one that was claimed later', { ...older, claimRevision: 9 }, full, 'keep'],
    ['another epoch, though a lower generation', otherEpoch, full, 'adopt'],
    ['another subject', ofBob, full, 'other-account'],
    ['another sign-in, of another subject', signInOfBob, full, 'other-account'],
    ['another subject, after a sign-out', signInOfBob, signedOut, 'adopt'],
    ['a subject where none was known', newer, { ...full, subject: undefined }, 'adopt'],
    ['no subject where one was known', { ...newer, subject: undefined }, full, 'adopt'],
    [
      'another client, with nothing in memory',
      { ...full, binding: otherBinding },
      undefined,
      'other-account',
    ],
    ['another client', { ...newer, binding: otherBinding }, full, 'other-account'],
    ['no client', { ...newer, binding: undefined }, full, 'adopt'],
  ] as [string, CredentialRecord | undefined, CredentialRecord | undefined, string][])(
    'that finds %s',
    (_, stored, memory, expected) => {
      expect(reconcile(stored, memory, binding)).toBe(expected);
    },
  );

  test('checks no client where the refresh function names none', () => {
    expect(reconcile({ ...newer, binding: otherBinding }, full, undefined)).toBe('adopt');
  });
});

describe('a conflict at commit', () => {
  const ours = { ...full, revision: 8, generation: 4, claimRevision: 8 };

  test.each([
    ['the record is gone', undefined, 'theirs'],
    ['somebody signed out', signedOut, 'theirs'],
    ['somebody signed out in the same epoch', { ...signedOut, epoch: 'e1' }, 'theirs'],
    ['somebody signed in', otherEpoch, 'theirs'],
    ['a newer generation is stored', { ...ours, generation: 5 }, 'theirs'],
    ['the parent is stored, with a claim', { ...full, revision: 9, claim: { at: 1 } }, 'ours'],
    ['a sibling that was claimed later is stored', { ...ours, claimRevision: 9 }, 'theirs'],
    ['a sibling that was claimed earlier is stored', { ...ours, claimRevision: 7 }, 'ours'],
    ['a sibling of an unknown claim is stored', { ...ours, claimRevision: undefined }, 'ours'],
    ['a blank record of the same epoch is stored', blank, 'ours'],
  ] as [string, CredentialRecord | undefined, string][])('when %s', (_, stored, expected) => {
    expect(resolveConflict(stored, ours)).toBe(expected);
  });

  test('of two siblings is settled the same way by both', () => {
    const siblings = fc.record({ generation: fc.nat(3), claimRevision: fc.nat(3) });
    fc.assert(
      fc.property(siblings, siblings, (one, other) => {
        const [a, b] = [
          { ...full, ...one },
          { ...full, ...other },
        ];
        const same = a.generation === b.generation && a.claimRevision === b.claimRevision;
        const verdicts = [resolveConflict(a, b), resolveConflict(b, a)].toSorted();

        expect(verdicts).toEqual(same ? ['ours', 'ours'] : ['ours', 'theirs']);
      }),
      runs(100),
    );
  });
});

describe('isSameGrant', () => {
  test.each<[string, Partial<CredentialRecord>]>([
    ['noted on again', { revision: 9 }],
    ['claimed', { claim: { at: SENT_AT } }],
  ])('knows the tokens of one exchange, %s', (_, change) => {
    expect(isSameGrant({ ...full, ...change }, full)).toBe(true);
  });

  test.each<[string, CredentialRecord | undefined]>([
    ['nothing', undefined],
    ['another epoch', { ...full, epoch: 'e2' }],
    ['another generation', { ...full, generation: 4 }],
    ['another access token', { ...full, tokens: { ...full.tokens, access_token: 'a4' } }],
    ['another refresh token', { ...full, tokens: { ...full.tokens, refresh_token: 'r4' } }],
  ])('does not take %s for the same', (_, stored) => {
    expect(isSameGrant(stored, full)).toBe(false);
  });
});
