import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { beforeEach, expect, test } from '@jest/globals';
import { enterSession, eventually, FLAGS, halt, helpersOf, openStore, recordOf } from './in-session.ts';
import { describeKeyring, type KeyringSession } from './keyring-session.ts';

describeKeyring('the end of the helper', () => {
  let session: KeyringSession;

  beforeEach(async () => {
    session = await enterSession();
  });

  async function expectNoHelper(): Promise<void> {
    for (let looks = 0; looks < 2000 && helpersOf(session).length > 0; looks += 1) await setTimeout(20);
    expect(helpersOf(session)).toEqual([]);
  }

  test.each(['bus', 'daemon'] as const)(
    'a process that is killed while the %s is silent leaves no helper behind',
    async (silent) => {
      halt(await eventually(() => session[silent]()));
      const script = fileURLToPath(new URL('processes/stay.ts', import.meta.url));
      const program = spawn(process.execPath, [...FLAGS, script, session.directory], {
        env: { ...session.env },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await once(program.stdout, 'data');
      expect(helpersOf(session)).toHaveLength(1);
      program.kill('SIGKILL');
      await expectNoHelper();
    },
  );

  test('a helper that is not called ends, and the next call has another one', async () => {
    const store = openStore(session, { idleMs: 100 });
    await store.write('default', recordOf(1), undefined);
    await expectNoHelper();
    expect(await store.read('default')).toEqual(recordOf(1));
  });

  test('a helper that does not answer is killed though nobody calls it any more', async () => {
    const store = openStore(session, { callMs: 1000, promptMs: 4000 });
    await eventually(() => store.read('default'));
    halt(await session.bus());
    // Another account, which needs another connection.
    await expect(store.read('ann')).rejects.toThrow(/did not answer/);
    await expectNoHelper();
  });

  test('a helper that is stopped makes calls fail in time, and another takes its place', async () => {
    const store = openStore(session, { callMs: 1000, promptMs: 4000 });
    await eventually(() => store.write('default', recordOf(1), 'replace'));
    const [pid] = helpersOf(session);
    process.kill(pid!, 'SIGSTOP');
    await expect(store.read('default')).rejects.toThrow(/did not answer/);
    expect(await eventually(() => store.read('default'))).toEqual(recordOf(1));
    expect(helpersOf(session)).not.toContain(pid);
  });

  test('a call whose helper is killed is an error, and the next one has another helper', async () => {
    const store = openStore(session);
    await store.write('default', recordOf(1), undefined);
    const [pid] = helpersOf(session);
    process.kill(pid!, 'SIGSTOP');
    const reading = store.read('default');
    process.kill(pid!, 'SIGKILL');
    await expect(reading).rejects.toThrow(/ended \(SIGKILL\); try again/);
    expect(await store.read('default')).toEqual(recordOf(1));
  });
});
