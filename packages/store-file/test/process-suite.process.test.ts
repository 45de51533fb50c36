import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from '@jest/globals';
import { runProcessSuite } from '@unexpired/testing';

runProcessSuite({
  test,
  lock: 'system',
  processes: 20,
  async createPlace() {
    const directory = await mkdtemp(join(tmpdir(), 'unexpired-file-'));
    return {
      store: {
        module: new URL('../src/index.ts', import.meta.url),
        export: 'createFileStore',
        options: { path: join(directory, 'credentials.json') },
      },
      close: () => rm(directory, { recursive: true }),
    };
  },
});
