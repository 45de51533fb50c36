import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createAuthorizationServer, runStoreSuite, startRace } from '@unexpired/testing';
import { createFolderStore } from './folder-store.ts';

const createFolder = (): string => mkdtempSync(join(tmpdir(), 'folder-store-'));

runStoreSuite({
  test,
  shared: true,
  createPlace() {
    const folder = createFolder();
    return {
      open: () => createFolderStore(folder),
      close: () => rmSync(folder, { recursive: true }),
    };
  },
});

void test('another process is kept out of a section, until the one that holds it is killed', async () => {
  const folder = createFolder();
  const store = createFolderStore(folder);
  const holder = fork(new URL('hold-section.ts', import.meta.url), [folder]);
  try {
    const ended = once(holder, 'exit').then(() => assert.fail('the holder ended by itself'));
    await Promise.race([once(holder, 'message'), ended]);
    const enter = async (): Promise<string> => 'inside';
    const leaving = new AbortController();
    const refused = store.runExclusive('default', enter, leaving.signal);
    await store.read('default');
    leaving.abort(new Error('no patience'));
    await assert.rejects(refused, /no patience/);

    const waiting = store.runExclusive('default', enter, new AbortController().signal);
    holder.kill('SIGKILL');
    assert.equal(await waiting, 'inside');
  } finally {
    holder.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  }
});

void test('processes that race over a folder present each refresh token once', async () => {
  const options = createFolder();
  const module = new URL('folder-store.ts', import.meta.url);
  const store = { module, export: 'createFolderStore', options };
  const server = await createAuthorizationServer({ rotation: 'strict' });
  const race = await startRace({ store, server, processes: 2, asking: 'refusal' });
  try {
    await race.untilGeneration(5);
    const { presentations, isSignedIn } = race.report();
    assert.deepEqual(new Set(presentations.map(({ times }) => times)), new Set([1]));
    assert.equal(isSignedIn, true);
  } finally {
    await race.end();
    await server.close();
    rmSync(options, { recursive: true });
  }
});
