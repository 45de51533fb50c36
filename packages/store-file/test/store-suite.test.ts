import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from '@jest/globals';
import { runStoreSuite } from '@unexpired/testing';
import { openFileStore } from '../src/file-store.ts';

runStoreSuite({
  test,
  shared: true,
  async createPlace() {
    const directory = await mkdtemp(join(tmpdir(), 'unexpired-file-'));
    return {
      open: () => openFileStore(join(directory, 'deep', 'credentials.json')),
      close: () => rm(directory, { recursive: true }),
    };
  },
});
