import { statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, jest, test } from '@jest/globals';
import { createPlace, patient } from './place.ts';

const { loadNativeLock } = await import('../src/native-lock.ts');
let beforeLock = (): void => undefined;

jest.unstable_mockModule('../src/native-lock.ts', () => ({
  loadNativeLock() {
    const native = loadNativeLock();
    const tryLock: typeof native.tryLock = (fd, key) => {
      beforeLock();
      return native.tryLock(fd, key);
    };
    return { ...native, tryLock };
  },
}));

const { createFileLock } = await import('../src/file-lock.ts');

test('a lock on a file that is replaced between opening and locking is given up for the new one', async () => {
  const path = join(await createPlace(), 'a.lock');
  const locked: boolean[] = [];
  let attempts = 0;
  beforeLock = () => {
    attempts += 1;
    if (attempts > 2) return;
    unlinkSync(path);
    writeFileSync(path, '');
  };
  await createFileLock({ path }).runExclusive(
    'default',
    async ({ check, signal }) => {
      await check();
      locked.push(!signal.aborted);
    },
    patient,
  );

  expect(locked).toEqual([true]);
  expect(attempts).toBe(3);
  expect(statSync(path).size).toBe(0);
});

test('a file system without locks is an error that says so, and the task is not run', async () => {
  const path = join(await createPlace(), 'a.lock');
  beforeLock = () => {
    throw Object.assign(new Error('no locks available'), { code: 'ENOLCK' });
  };
  const task = jest.fn(async () => undefined);

  await expect(createFileLock({ path }).runExclusive('default', task, patient)).rejects.toMatchObject({
    code: 'ERR_STORE_FAILED',
    message: `${path} could not be locked (ENOLCK: its file system has no locks; use a local one). Nothing in memory was lost.`,
  });
  expect(task).not.toHaveBeenCalled();
});
