import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { bundle } from '../../../test/browser/bundle.ts';
import { describeChromium, startChromium, type Browsing } from '../../../test/browser/chromium.ts';
import { startSite, type Site } from '../../../test/browser/site.ts';
// For `globalThis.stores` of the pages.
import type {} from './page.ts';

declare global {
  /** Which of the listeners were told. */
  var told: Set<number>;
}

let browsing: Browsing;
let site: Site;
let writer: Page;
const complaints: string[] = [];

async function openTab(): Promise<Page> {
  const page = await browsing.context.newPage();
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(site.origin);
  return page;
}

function write(name: string): Promise<boolean> {
  return writer.evaluate(
    (at) => stores.write(at, { version: 1, revision: 1, epoch: 'e', generation: 1 }, undefined),
    { name, account: 'ann' },
  );
}

describeChromium('those who follow a record', () => {
  beforeAll(async () => {
    const { code } = await bundle(new URL('page.ts', import.meta.url));
    site = await startSite({ '/page.js': code });
    browsing = await startChromium();
    writer = await openTab();
  });

  afterAll(async () => {
    await browsing.close();
    await site.close();
  });

  test('are told, whichever of them throws, and the page sees no error of theirs', async () => {
    const page = await openTab();
    await page.evaluate(() => {
      globalThis.told = new Set();
      globalThis.hinted = async (id) => void told.add(id);
      const { hinted } = globalThis;
      globalThis.hinted = (id) => {
        if (id === 1) throw new Error('of a listener');
        return hinted(id);
      };
      for (const id of [1, 2]) stores.listen({ name: 'throwing', account: 'ann' }, id);
    });
    await write('throwing');
    await page.waitForFunction(() => told.has(2));
    expect(complaints).toEqual([]);
  });

  test('are told of nothing where there are no channels, and are told once there are', async () => {
    const page = await openTab();
    await page.evaluate(() => {
      globalThis.told = new Set();
      globalThis.hinted = async (id) => void told.add(id);
      const { BroadcastChannel } = globalThis;
      globalThis.BroadcastChannel = class {
        constructor() {
          throw new Error('no channels here');
        }
      } as unknown as typeof BroadcastChannel;
      stores.listen({ name: 'channels', account: 'ann' }, 1);
      globalThis.BroadcastChannel = BroadcastChannel;
      stores.listen({ name: 'channels', account: 'ann' }, 2);
    });
    await write('channels');
    await page.waitForFunction(() => told.size === 2);
  });
});
