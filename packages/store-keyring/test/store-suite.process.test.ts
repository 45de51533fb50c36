import { afterAll, beforeAll, test } from '@jest/globals';
import { runStoreSuite } from '@unexpired/testing';
import { openKeyringStore } from '../src/keyring-store.ts';
import { describeKeyring, startKeyring, type KeyringSession } from './keyring-session.ts';

let places = 0;

function runSuite(limit: number | undefined): void {
  let session: KeyringSession;

  beforeAll(async () => {
    session = await startKeyring();
    Object.assign(process.env, session.env);
  });

  afterAll(() => session.close());

  runStoreSuite({
    test,
    shared: true,
    createPlace() {
      places += 1;
      const service = `suite-${places}`;
      return { open: () => openKeyringStore({ service, directory: session.directory, limit }) };
    },
  });
}

// So short that records are in parts, and long enough for any.
for (const limit of [250, undefined])
  describeKeyring(`with entries of ${limit ?? 'any'} characters`, () => runSuite(limit));
