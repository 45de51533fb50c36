import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, jest, test } from '@jest/globals';
import { createPlace, patient } from './place.ts';

const fs = await import('node:fs');
// As on Windows.
jest.unstable_mockModule('node:fs', () => ({ ...fs, constants: { ...fs.constants, O_NOFOLLOW: undefined } }));

const { createFileLock } = await import('../src/file-lock.ts');

test('where links are followed, a lock file that leads to nothing is an error in the end, and an abort ends the trying', async () => {
  const place = await createPlace();
  const path = join(place, 'a.lock');
  await symlink(join(place, 'nothing'), path);
  const lock = createFileLock({ path });
  const leaving = new AbortController();
  const reason = new Error('no patience');
  const left = lock.runExclusive('default', async () => 'entered', leaving.signal);
  leaving.abort(reason);

  await expect(left).rejects.toBe(reason);
  await expect(lock.runExclusive('default', async () => 'entered', patient)).rejects.toMatchObject({
    code: 'ERR_STORE_FAILED',
    message: expect.stringMatching(/a\.lock is missing however often it is made: it is a symbolic link/),
  });
});
