import { readdirSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { outputOf } from '../../../test/run-script.ts';

/**
 * The slots of the global fetch's dispatcher that are set while a module is imported, but for those that Node fills
 * itself when somebody first reads a global of fetch.
 */
async function slotsSetBy(...names: string[]): Promise<string[]> {
  const script = `
    const slots = [];
    const { defineProperty } = Object;
    Object.defineProperty = (target, key, descriptor) => {
      const isSlot = target === globalThis && String(key.description).startsWith('undici.globalDispatcher');
      if (isSlot && !new Error().stack.includes('node:internal/deps/undici')) slots.push(key.description);
      return defineProperty(target, key, descriptor);
    };
    for (const name of ${JSON.stringify(names)}) await import(name);
    console.log(JSON.stringify(slots));
  `;
  return JSON.parse(await outputOf(script)) as string[];
}

/** What is on the global object after some modules were imported, and was not after their clients were. */
async function globalsAddedBy(...names: string[]): Promise<string[]> {
  const script = `
    for (const client of ['axios', 'got', 'ky']) await import(client);
    await fetch('data:,');
    const before = Reflect.ownKeys(globalThis).map((key) => [key, Object.getOwnPropertyDescriptor(globalThis, key)]);
    for (const name of ${JSON.stringify(names)}) await import(name);
    const known = new Map(before);
    const changed = Reflect.ownKeys(globalThis).filter((key) => {
      const now = Object.getOwnPropertyDescriptor(globalThis, key);
      const then = known.get(key);
      return then === undefined || ['value', 'get', 'set'].some((part) => !Object.is(now[part], then[part]));
    });
    console.log(JSON.stringify(changed.map(String)));
  `;
  return JSON.parse(await outputOf(script)) as string[];
}

const packages = readdirSync(new URL('../../', import.meta.url));

test.each(packages)(
  'importing @unexpired/%s leaves the dispatcher of the global fetch as it is',
  async (name) => {
    expect(await slotsSetBy(`@unexpired/${name}`)).toEqual([]);
  },
);

test('importing all packages together leaves it as it is, and adds no global', async () => {
  const names = packages.map((name) => `@unexpired/${name}`);

  expect(await slotsSetBy(...names)).toEqual([]);
  expect(await globalsAddedBy(...names)).toEqual([]);
});

test('importing undici itself does not, so that such a change is seen', async () => {
  expect(await slotsSetBy('undici')).toContain('undici.globalDispatcher.1');
});

test('a module that adds a global is seen', async () => {
  expect(await globalsAddedBy('data:text/javascript,globalThis.added = 1')).toEqual(['added']);
});
