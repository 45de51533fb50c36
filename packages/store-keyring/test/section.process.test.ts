import { rmSync } from 'node:fs';
import { beforeEach, expect, test } from '@jest/globals';
import { createAuthorizationServer } from '@unexpired/testing';
import { placeIn } from '../src/place.ts';
import { afterwards, createSource, enterSession, openStore, recordOf, signInExpired } from './in-session.ts';
import { describeKeyring, type KeyringSession } from './keyring-session.ts';

const patient = new AbortController().signal;

describeKeyring('the section of an account', () => {
  let session: KeyringSession;

  beforeEach(async () => {
    session = await enterSession();
  });

  test('under a new lock file it waits for the exchange of a claim that is older than the file', async () => {
    const store = openStore(session);
    await store.read('default');
    // Exchanges take 10 s at most, and this one has begun 8 s ago.
    const at = Date.now() - 8000;
    await store.write('default', recordOf(1, { claim: { at } }), undefined);
    const enteredAt = await store.runExclusive('default', async () => Date.now(), patient);
    expect(enteredAt).toBeGreaterThanOrEqual(at + 10_000);
  });

  test('where its lock file is removed before the refresh token is sent, it is not sent', async () => {
    const server = await createAuthorizationServer({ rotation: 'strict' });
    afterwards(() => server.close());
    const store = openStore(session);
    await signInExpired(store, server);
    const source = createSource(
      {
        ...store,
        async write(account, record, expected) {
          const isWritten = await store.write(account, record, expected);
          rmSync(placeIn(session.directory, 'test').sectionLock);
          return isWritten;
        },
      },
      server,
    );
    await expect(source.getAccessToken()).rejects.toMatchObject({
      code: 'ERR_REFRESH_FAILED',
      message: expect.stringContaining('exclusive section was lost'),
    });
    expect(server.presentations).toEqual([]);
  });
});
