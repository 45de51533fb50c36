import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { describeChromium } from './chromium.ts';
import { startScene, type BrowserScene, type World } from './scene.ts';

declare global {
  var leftAt: number | undefined;
}

let scene: BrowserScene;
let world: World;

/** Why the browser did not keep the page, as far as it says. */
function reasons(page: Page): Promise<unknown> {
  return page.evaluate(() => {
    const [entry] = performance.getEntriesByType('navigation');
    return (entry as unknown as { notRestoredReasons?: unknown }).notRestoredReasons ?? 'none';
  });
}

describeChromium('a tab in the back/forward cache', () => {
  beforeAll(async () => {
    scene = await startScene();
    world = await scene.begin();
  });

  afterAll(async () => {
    await world.close();
    await scene.close();
  });

  test('stays there while others write, and knows when it is shown again', async () => {
    const [leaving, other] = (await world.openTabs(2)) as [Page, Page];
    await leaving.evaluate((tokens) => tab.signIn(tokens), await world.identity.signIn());
    await leaving.evaluate(() => tab.getAccessToken());
    await leaving.evaluate(() => {
      globalThis.leftAt = 1;
    });
    await leaving.goto('about:blank');
    await other.evaluate(() => tab.signOut());
    // Nothing is loaded when such a page is shown again.
    await leaving.goBack({ waitUntil: 'commit' });

    await leaving.waitForFunction(() => tab.status().health === 'signed-out');
    expect(await reasons(leaving)).toBe('none');
    expect(await leaving.evaluate(() => globalThis.leftAt)).toBe(1);
  });
});
