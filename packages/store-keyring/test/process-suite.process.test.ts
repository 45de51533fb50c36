import { afterAll, beforeAll, test } from '@jest/globals';
import { runProcessSuite } from '@unexpired/testing';
import { describeKeyring, startKeyring, type KeyringSession } from './keyring-session.ts';

let places = 0;

describeKeyring('processes over one keyring', () => {
  let session: KeyringSession;

  beforeAll(async () => {
    session = await startKeyring();
  });

  afterAll(() => session.close());

  runProcessSuite({
    test,
    lock: 'system',
    processes: 4,
    // Each process has a helper to start; in CI the lock is killed in full over the file, which has the same one.
    ...(process.env['SOAK'] === '1' ? {} : { rounds: 40 }),
    createPlace() {
      places += 1;
      const { directory, env } = session;
      const service = `race-${places}`;
      return {
        store: { module: new URL('./race-store.ts', import.meta.url), options: { service, directory, env } },
      };
    },
  });
});
