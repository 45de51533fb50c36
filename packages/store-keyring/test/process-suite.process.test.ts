import { test } from '@jest/globals';
import { runProcessSuite, type ProcessSuiteTest } from '@unexpired/testing';
import { eventually } from './in-session.ts';
import { describeKeyring, startKeyring, type KeyringSession } from './keyring-session.ts';

let session: KeyringSession;
let places = 0;

/** False: the keyring itself crashed meanwhile, as GNOME's does at times where many processes come and go. */
async function runInSession(run: () => Promise<void>): Promise<boolean> {
  session = await startKeyring();
  try {
    const before = await eventually(() => session.daemon());
    try {
      await run();
    } catch (error) {
      if ((await session.daemon().catch(() => undefined)) === before) throw error;
      return false;
    }
    return true;
  } finally {
    await session.close();
  }
}

async function runOnceOrTwice(run: () => Promise<void>): Promise<void> {
  if (await runInSession(run)) return;
  if (!(await runInSession(run))) throw new Error('the keyring crashed twice');
}

const register = test;
const testInSession: ProcessSuiteTest = Object.assign(
  (name: string, run: () => Promise<void>, limitMs: number) =>
    register(name, () => runOnceOrTwice(run), 2 * limitMs),
  // reason: a case that is skipped has it in its name
  { skip: test.skip },
);

describeKeyring('processes over one keyring', () => {
  runProcessSuite({
    test: testInSession,
    lock: 'system',
    processes: 4,
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
