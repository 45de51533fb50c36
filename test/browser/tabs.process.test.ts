import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { describeChromium } from './chromium.ts';
import { startScene, type BrowserScene, type World } from './scene.ts';

const GENERATIONS = 20;

let scene: BrowserScene;
let world: World;

function until(page: Page, health: string): Promise<unknown> {
  return page.waitForFunction((wanted) => tab.status().health === wanted, health, { timeout: 0 });
}

describeChromium('eight tabs on one credential', () => {
  let tabs: Page[];

  beforeAll(async () => {
    scene = await startScene();
    world = await scene.begin({ expiresIn: 2 });
    tabs = await world.openTabs(8);
    await tabs[0]!.evaluate((tokens) => tab.signIn(tokens), await world.identity.signIn());
  });

  afterAll(async () => {
    await world.close();
    await scene.close();
  });

  test('present each refresh token once, and no caller sees a 401', async () => {
    const { identity } = world;
    await Promise.all(tabs.map((page) => page.evaluate(() => tab.work())));
    const signedOut = until(tabs[0]!, 'signed-out').catch(() => undefined);
    await Promise.race([identity.requestArrived(GENERATIONS), signedOut]);
    const reports = await Promise.all(tabs.map((page) => page.evaluate(() => tab.rest())));

    const presented = identity.presentations.map(({ refreshToken }) => refreshToken);
    expect(presented.length).toBeGreaterThanOrEqual(GENERATIONS);
    expect(new Set(presented).size).toBe(presented.length);
    expect(identity.reuses).toEqual([]);
    for (const { statuses, failures, events } of reports) {
      expect(failures).toEqual([]);
      expect(new Set(statuses)).toEqual(new Set([200]));
      expect(statuses.length).toBeGreaterThan(GENERATIONS);
      expect(events).toContain('adopted');
      expect(events).not.toContain('signed-out');
    }
  });

  test('learn of a sign-out and of a sign-in in one of them without a request', async () => {
    await tabs[3]!.evaluate(() => tab.signOut());
    await Promise.all(tabs.map((page) => until(page, 'signed-out')));
    const given = await world.identity.signIn({ expiresIn: 3600 });
    await tabs[5]!.evaluate((tokens) => tab.signIn(tokens), { ...given, expires_in: 3600 });
    await Promise.all(tabs.map((page) => until(page, 'ok')));
    const answers = await Promise.all(tabs.map((page) => page.evaluate(() => tab.getAccessToken())));
    expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toEqual(
      new Set([JSON.stringify({ accessToken: given.access_token })]),
    );
  });
});
