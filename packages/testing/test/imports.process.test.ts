import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const run = promisify(execFile);
const root = new URL('../../../', import.meta.url);

/**
 * The slots of the global fetch's dispatcher that are set while a module is imported, but for those that Node fills
 * itself when somebody first reads a global of fetch.
 */
async function slotsSetBy(name: string): Promise<string[]> {
  const script = `
    const slots = [];
    const { defineProperty } = Object;
    Object.defineProperty = (target, key, descriptor) => {
      const isSlot = target === globalThis && String(key.description).startsWith('undici.globalDispatcher');
      if (isSlot && !new Error().stack.includes('node:internal/deps/undici')) slots.push(key.description);
      return defineProperty(target, key, descriptor);
    };
    await import('${name}');
    console.log(JSON.stringify(slots));
  `;
  const flags = ['--conditions=@unexpired/source', '--input-type=module'];
  const { stdout } = await run(process.execPath, [...flags, '--eval', script], { cwd: root });
  return JSON.parse(stdout) as string[];
}

test.each(['core', 'oauth', 'axios', 'fetch', 'testing'])(
  'importing @unexpired/%s leaves the dispatcher of the global fetch as it is',
  async (name) => {
    expect(await slotsSetBy(`@unexpired/${name}`)).toEqual([]);
  },
);

test('importing undici itself does not, so that such a change is seen', async () => {
  expect(await slotsSetBy('undici')).toContain('undici.globalDispatcher.1');
});
