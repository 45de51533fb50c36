import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from '@jest/globals';
import { runStoreSuite, type SuiteTest } from '@unexpired/testing';
import { openFileStore } from '../src/file-store.ts';

// reason: macOS locks whole files, so that the accounts of one take turns, and the two of this case would never meet
const skipped = process.platform === 'darwin' ? 'sections of two accounts run side by side' : undefined;

const suiteTest: SuiteTest = Object.assign(
  (name: string, run: () => Promise<void>) => (name === skipped ? test.skip : test)(name, run),
  { skip: test.skip },
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
