import { afterAll, beforeAll, describe, test } from '@jest/globals';
import { runStoreSuite } from '@unexpired/testing';
import { openKeyringStore } from '../src/keyring-store.ts';
import { keyringMissing, startKeyring, type KeyringSession } from './keyring-session.ts';

let session: KeyringSession;

beforeAll(async () => {
  if (keyringMissing !== undefined) return;
  session = await startKeyring();
  Object.assign(process.env, session.env);
});

afterAll(() => session?.close());

let places = 0;

// So short that records are in parts, and long enough for any.
describe.each([250, undefined])('with entries of at most %j characters', (limit) => {
  if (keyringMissing !== undefined) {
    // reason: a developer's machine may have no Secret Service; CI fails for such a name
    test.skip(keyringMissing, () => undefined);
    return;
  }
  runStoreSuite({
    test,
    shared: true,
    createPlace() {
      places += 1;
      const service = `suite-${places}`;
      return { open: () => openKeyringStore({ service, directory: session.directory, limit }) };
    },
  });
});
