import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from '@jest/globals';
import { runStoreSuite, type SuiteTest } from '@unexpired/testing';
import { openFileStore } from '../src/file-store.ts';

/** macOS locks whole files: the accounts of one take turns, and the two of this case would never meet. */
const unmet = process.platform === 'darwin' ? 'sections of two accounts run side by side' : undefined;

// reason: macOS, as said above
const { skip } = test;
const suiteTest: SuiteTest = Object.assign(
  (name: string, run: () => Promise<void>) => (name === unmet ? skip : test)(name, run),
  { skip },
);

runStoreSuite({
  test: suiteTest,
  shared: true,
  async createPlace() {
    const directory = await mkdtemp(join(tmpdir(), 'unexpired-file-'));
    return {
      open: () => openFileStore(join(directory, 'deep', 'credentials.json')),
      close: () => rm(directory, { recursive: true }),
    };
  },
});
