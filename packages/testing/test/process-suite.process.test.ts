import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from '@jest/globals';
import { runProcessSuite, type RacePlace } from '@unexpired/testing';
import type { Flaw } from './shared-file.ts';

async function createPlace(flaw?: Flaw): Promise<RacePlace> {
  const folder = await mkdtemp(join(tmpdir(), 'process-suite-'));
  return {
    store: {
      module: new URL('./shared-file.ts', import.meta.url),
      options: { path: join(folder, 'shared.json'), flaw },
    },
    close: () => rm(folder, { recursive: true }),
  };
}

runProcessSuite({
  test,
  createPlace: () => createPlace(),
  lock: 'system',
  processes: 4,
  generations: 5,
  rounds: 100,
});
