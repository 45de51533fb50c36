import { spawnSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { bundle } from './bundle.ts';

const root = new URL('../../', import.meta.url);

test('core, oauth, axios, ky, fetch and the browser store make one script that wants nothing of Node', async () => {
  const { imports, modules } = await bundle(new URL('tab.ts', import.meta.url));
  expect(imports).toEqual([]);
  const names = ['core', 'oauth', 'axios', 'ky', 'fetch', 'store-browser'];
  expect(names.filter((name) => !modules.some((id) => id.includes(`/packages/${name}/src/`)))).toEqual([]);
  // What the bundler puts in the place of a module of Node.
  expect(modules.filter((id) => /browser-external|polyfill|^node:/.test(id))).toEqual([]);
});

test('their sources, and the types of what they import, need no types of Node', () => {
  const flags = ['node_modules/.bin/tsc', '-p', 'test/browser/tsconfig.tab.json', '--pretty', 'false'];
  const { status, stdout } = spawnSync(process.execPath, flags, { cwd: root, encoding: 'utf8' });
  expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
});
