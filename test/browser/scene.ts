import { createAuthorizationServer, createResourceServer } from '@unexpired/testing';
import type { AuthorizationServer, AuthorizationServerOptions, ResourceServer } from '@unexpired/testing';
import type { Page } from 'playwright-core';
import { bundle } from './bundle.ts';
import { startChromium, type Browsing } from './chromium.ts';
import { startSite, type Site } from './site.ts';
// For `globalThis.tab` of the pages.
import type { TabOptions } from './tab.ts';

/** A browser, and an application whose tabs share a credential. */
export interface BrowserScene {
  readonly browsing: Browsing;
  readonly site: Site;
  /** Begins with an empty store and servers of its own. */
  begin(options?: AuthorizationServerOptions & Pick<TabOptions, 'lockMs'>): Promise<World>;
  close(): Promise<void>;
}

export interface World {
  readonly identity: AuthorizationServer;
  readonly api: ResourceServer;
  openTab(): Promise<Page>;
  openTabs(count: number): Promise<Page[]>;
  /** Closes the tabs that are still open, and the servers. */
  close(): Promise<void>;
}

let worlds = 0;

async function beginWorld(
  { context }: Browsing,
  site: Site,
  { lockMs, ...options }: Parameters<BrowserScene['begin']>[0] & object,
): Promise<World> {
  const identity = await createAuthorizationServer({ cors: true, ...options });
  const api = await createResourceServer({ cors: true, accepts: identity.isAccessTokenValid });
  const { tokenEndpoint } = identity;
  const name = `tabs-${(worlds += 1)}`;
  const given: TabOptions = { name, tokenEndpoint, api: api.origin, ...(lockMs && { lockMs }) };
  const tabs: Page[] = [];
  async function openTab(): Promise<Page> {
    const page = await context.newPage();
    tabs.push(page);
    await page.goto(site.origin);
    await page.evaluate((one) => tab.open(one), given);
    return page;
  }
  return {
    identity,
    api,
    openTab,
    openTabs: (count) => Promise.all(Array.from({ length: count }, openTab)),
    async close() {
      await Promise.all(tabs.map((page) => page.close()));
      await Promise.all([identity.close(), api.close()]);
    },
  };
}

export async function startScene(): Promise<BrowserScene> {
  const { code } = await bundle(new URL('tab.ts', import.meta.url));
  const site = await startSite({ '/page.js': code });
  const browsing = await startChromium();
  return {
    browsing,
    site,
    begin: (options = {}) => beginWorld(browsing, site, options),
    async close() {
      await browsing.close();
      await site.close();
    },
  };
}
