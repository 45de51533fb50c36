import { access, mkdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from '@jest/globals';
import { LAG_MS } from '../src/claim-ends.ts';
import { createFileLock } from '../src/file-lock.ts';
import { createPlace, patient } from './place.ts';
import { watchRefusals } from './refusals.ts';

async function pathOfLock(): Promise<string> {
  return join(await createPlace(), 'deep', 'a.lock');
}

/** Enters a section of its own lock object, as another process would, and stays. */
async function hold(path: string, key = 'default') {
  const entered = Promise.withResolvers<void>();
  const stay = Promise.withResolvers<void>();
  let section: Parameters<Parameters<ReturnType<typeof createFileLock>['runExclusive']>[1]>[0] | undefined;
  const done = createFileLock({ path }).runExclusive(
    key,
    (given) => {
      section = given;
      entered.resolve();
      return stay.promise;
    },
    patient,
  );
  await Promise.race([entered.promise, done]);
  return {
    section: section!,
    leave() {
      stay.resolve();
      return done;
    },
  };
}

test('the lock file is made with its directory, for the owner only, and is never removed', async () => {
  const path = await pathOfLock();
  const before = process.umask(0);
  try {
    await createFileLock({ path }).runExclusive('default', async () => undefined, patient);
  } finally {
    process.umask(before);
  }
  const first = await stat(path);
  await createFileLock({ path }).runExclusive('other', async () => undefined, patient);

  expect(first.mode & 0o777).toBe(0o600);
  expect((await stat(join(path, '..'))).mode & 0o777).toBe(0o700);
  expect((await stat(path)).ino).toBe(first.ino);
  expect(await readFile(path, 'utf8')).toBe('');
});

test('a task under a lock file that was made this moment starts when the claim it stores is younger', async () => {
  const path = await pathOfLock();
  await mkdir(join(path, '..'));
  await writeFile(path, '');
  const startedAt = await createFileLock({ path }).runExclusive('default', async () => Date.now(), patient);

  expect(startedAt - (await stat(path)).ctimeMs).toBeGreaterThan(LAG_MS);
});

test('an abort while the lock file is too young rejects with its reason, and the task is not run', async () => {
  const path = await pathOfLock();
  await mkdir(join(path, '..'));
  await writeFile(path, '');
  const leaving = AbortSignal.timeout(LAG_MS);
  const task = async (): Promise<string> => 'run';
  const entering = createFileLock({ path }).runExclusive('default', task, leaving);

  await expect(entering).rejects.toMatchObject({ name: 'TimeoutError' });
  expect(await createFileLock({ path }).runExclusive('default', task, patient)).toBe('run');
});

test('a lock that another one holds is waited for, and had once it is free', async () => {
  const path = await pathOfLock();
  const holder = await hold(path);
  const order: string[] = [];
  const refused = watchRefusals();
  const next = createFileLock({ path }).runExclusive('default', async () => order.push('next'), patient);
  await Promise.race([refused(), next]);
  order.push('left');
  await holder.leave();
  await next;

  expect(order).toEqual(['left', 'next']);
});

test('a holder whose task nobody can settle any more keeps its lock through garbage collections', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const path = await pathOfLock();
  const entered = Promise.withResolvers<void>();
  void createFileLock({ path }).runExclusive(
    'default',
    () => {
      entered.resolve();
      return new Promise(() => undefined);
    },
    patient,
  );
  await entered.promise;
  for (let i = 0; i < 3; i += 1) {
    collect();
    await setImmediate();
  }
  const leaving = new AbortController();
  const refused = watchRefusals();
  const next = createFileLock({ path }).runExclusive('default', async () => 'entered', leaving.signal);
  await Promise.race([refused(), next]);
  leaving.abort('refused');

  await expect(next).rejects.toBe('refused');
});

// macOS locks whole files
(process.platform === 'darwin' ? test.skip : test)('keys of one file are held side by side', async () => {
  const path = await pathOfLock();
  const holders = [await hold(path, 'ann'), await hold(path, 'bob'), await hold(path, '__proto__')];

  await Promise.all(holders.map((holder) => holder.leave()));
});

test('an abort while another one holds the lock rejects with its reason, and the task is not run', async () => {
  const path = await pathOfLock();
  const holder = await hold(path);
  const leaving = new AbortController();
  const reason = new Error('no patience');
  let ran = false;
  const refused = watchRefusals();
  const waiting = createFileLock({ path }).runExclusive(
    'default',
    async () => {
      ran = true;
    },
    leaving.signal,
  );
  await Promise.race([refused(), waiting]);
  leaving.abort(reason);

  await expect(waiting).rejects.toBe(reason);
  await holder.leave();
  expect(ran).toBe(false);
});

test('a holder whose lock file is there learns of no loss', async () => {
  const holder = await hold(await pathOfLock());
  await holder.section.check();

  expect(holder.section.signal.aborted).toBe(false);
  await holder.leave();
});

test.each<[string, (path: string) => Promise<unknown>]>([
  ['is removed', (path) => rm(path)],
  ['is replaced', (path) => rename(path, `${path}.old`).then(() => writeFile(path, ''))],
  ['goes with its directory', (path) => rm(join(path, '..'), { recursive: true })],
])('a holder whose lock file %s learns of it, and the next one has a new file', async (_, remove) => {
  const path = await pathOfLock();
  const holder = await hold(path);
  await remove(path);
  const next = await hold(path);
  await holder.section.check();
  await next.section.check();

  expect(holder.section.signal.aborted).toBe(true);
  expect(holder.section.signal.reason).toMatchObject({
    code: 'ERR_STORE_FAILED',
    message: expect.stringContaining(`${path} was removed or replaced`),
  });
  expect(next.section.signal.aborted).toBe(false);
  await Promise.all([holder.leave(), next.leave()]);
});

test('a lock file that cannot be made or opened is an error that says so, and the task is not run', async () => {
  const place = await createPlace();
  await mkdir(join(place, 'taken.lock'));
  await writeFile(join(place, 'file'), '');
  let ran = false;
  const task = async (): Promise<void> => {
    ran = true;
  };
  const isDirectory = createFileLock({ path: join(place, 'taken.lock') });
  const isInFile = createFileLock({ path: join(place, 'file', 'a.lock') });

  await expect(isDirectory.runExclusive('default', task, patient)).rejects.toMatchObject({
    code: 'ERR_STORE_FAILED',
    message: expect.stringMatching(/taken\.lock could not be opened as a lock \(EISDIR: it is a directory/),
  });
  await expect(isInFile.runExclusive('default', task, patient)).rejects.toMatchObject({
    code: 'ERR_STORE_FAILED',
    message: expect.stringContaining('a part of its path is a file'),
  });
  expect(ran).toBe(false);
  await expect(access(join(place, 'file', 'a.lock'))).rejects.toThrow('ENOTDIR');
});

// reason: Windows lets only some users make symbolic links, and has no O_NOFOLLOW
(process.platform === 'win32' ? test.skip : test).each(['nothing', 'a file'])(
  'a lock file that is a symbolic link to %s is an error that says so, and nothing is made or locked',
  async (what) => {
    const place = await createPlace();
    const [path, target] = [join(place, 'a.lock'), join(place, 'target')];
    if (what === 'a file') await writeFile(target, 'theirs');
    await symlink(target, path);
    const entering = createFileLock({ path }).runExclusive(
      'default',
      async () => 'entered',
      AbortSignal.timeout(3000),
    );

    await expect(entering).rejects.toMatchObject({
      code: 'ERR_STORE_FAILED',
      message: `The lock file ${path} is a symbolic link, which is not followed. Remove it.`,
    });
    await expect(
      access(target).then(
        () => 'a file',
        () => 'nothing',
      ),
    ).resolves.toBe(what);
  },
);

test.each<[unknown, RegExp]>([
  [undefined, /^`options` must be an object, got undefined$/],
  [{}, /^`path` must be a path, got undefined$/],
  [{ path: 5 }, /^`path` must be a path, got 5$/],
  [{ path: '' }, /^`path` must be a path, got an empty string$/],
  [{ path: '/a', keepAlive: 1 }, /^`keepAlive` must be true or false, got 1$/],
  [{ path: '/a', wait: 1 }, /^`wait` is not an option/],
])('a lock of %j is a TypeError', (options, message) => {
  expect(() => createFileLock(options as never)).toThrow(message);
});
