import { afterAll, beforeAll, test } from '@jest/globals';
import type { TokenStore } from '@unexpired/core';
import { runStoreSuite } from '@unexpired/testing';
import { bundle } from '../../../test/browser/bundle.ts';
import { describeChromium, startPrivateChromium, type Browsing } from '../../../test/browser/chromium.ts';
import { startSite, type Site } from '../../../test/browser/site.ts';
import { remoteStores } from './remote-store.ts';

let browsing: Browsing;
let site: Site;
let openStore: (name: string, index: number) => TokenStore;
let places = 0;

describeChromium('the store suite, over two tabs of a private window', () => {
  beforeAll(async () => {
    const { code } = await bundle(new URL('page.ts', import.meta.url));
    site = await startSite({ '/page.js': code });
    browsing = await startPrivateChromium();
    const pages = [await browsing.context.newPage(), await browsing.context.newPage()];
    await Promise.all(pages.map((page) => page.goto(site.origin)));
    openStore = await remoteStores(pages);
  });

  afterAll(async () => {
    await browsing.close();
    await site.close();
  });

  runStoreSuite({
    test,
    shared: true,
    createPlace() {
      places += 1;
      const name = `suite-${places}`;
      let opened = 0;
      return { open: () => openStore(name, (opened += 1)) };
    },
  });
});
