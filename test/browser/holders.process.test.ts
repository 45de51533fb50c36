import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { CDPSession, Page } from 'playwright-core';
import { describeChromium } from './chromium.ts';
import { startScene, type BrowserScene, type World } from './scene.ts';
import type { Answer } from './tab.ts';

let scene: BrowserScene;
let world: World;

function getAccessToken(page: Page): Promise<Answer> {
  return page.evaluate(() => tab.getAccessToken());
}

/** Until somebody else waits for the lock of this credential. */
function untilWaitedFor(page: Page): Promise<unknown> {
  return page.waitForFunction(async () => ((await navigator.locks.query()).pending ?? []).length > 0);
}

function untilHeld(page: Page): Promise<unknown> {
  return page.waitForFunction(async () => ((await navigator.locks.query()).held ?? []).length > 0);
}

async function crash(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const crashed = page.waitForEvent('crash');
  // It is never answered.
  session.send('Page.crash').catch(() => undefined);
  await crashed;
}

/**
 * Halts a tab as a browser does that freezes it: its timers, promises and messages wait. A browser freezes only tabs
 * that nobody sees, and one under test is always seen.
 */
async function freeze(page: Page): Promise<CDPSession> {
  const session = await page.context().newCDPSession(page);
  await session.send('Debugger.enable');
  const paused = new Promise((resolve) => session.once('Debugger.paused', resolve));
  await session.send('Debugger.pause');
  // Something must run for it to be halted there.
  page.evaluate(() => 0).catch(() => undefined);
  await paused;
  return session;
}

describeChromium('the tab that holds the lock', () => {
  beforeAll(async () => {
    scene = await startScene();
  });

  afterEach(() => world.close());

  afterAll(() => scene.close());

  test.each([
    ['is closed', (page: Page) => page.close()],
    ['crashes', crash],
    ['leaves for another page', (page: Page) => page.goto('about:blank')],
  ])('%s: the others refresh', async (_, end) => {
    world = await scene.begin();
    const [holder, other] = (await world.openTabs(2)) as [Page, Page];
    const expired = { ...(await world.identity.signIn()), expires_in: 0 };
    await holder.evaluate((tokens) => tab.signIn(tokens), expired);
    await holder.evaluate(() => tab.hang());
    const held = getAccessToken(holder).catch(() => 'gone');
    await untilHeld(other);
    const waiting = getAccessToken(other);
    await untilWaitedFor(other);
    expect(world.identity.exchanges).toEqual([]);

    await end(holder);
    const answer = await waiting;
    expect(answer).toEqual({ accessToken: world.identity.exchanges[0]?.issued?.access_token });
    expect(await held).toBe('gone');
    expect(world.identity.presentations.map(({ outcome }) => outcome)).toEqual(['accepted']);
  });

  test.each(['thaws', 'is closed'])(
    'is frozen: the others use the valid token, then fail in time, and go on once it %s',
    async (how) => {
      const { identity } = (world = await scene.begin({ lockMs: 500 }));
      const [holder, other] = (await world.openTabs(2)) as [Page, Page];
      const first = await identity.signIn();
      await holder.evaluate((tokens) => tab.signIn(tokens), first);
      identity.next({ hold: 'request', ...(how === 'is closed' && { reset: 'request' }) });
      await holder.evaluate(() => tab.pass(3_600_000));
      const held = getAccessToken(holder).catch(() => 'gone');
      await identity.requestArrived();
      const session = await freeze(holder);
      identity.release();

      expect(await getAccessToken(other)).toEqual({ accessToken: first.access_token });
      await other.evaluate(() => tab.pass(3_600_000));
      expect(await getAccessToken(other)).toEqual({
        code: 'ERR_LOCK_TIMEOUT',
        message: expect.stringContaining('for 500 ms'),
      });
      expect(identity.presentations.length).toBe(1);

      if (how === 'thaws') await session.send('Debugger.resume');
      else await holder.close();
      await other.waitForFunction(async () => 'accessToken' in (await tab.getAccessToken()));
      const { access_token } = identity.exchanges.at(-1)!.issued!;
      expect(await getAccessToken(other)).toEqual({ accessToken: access_token });
      expect(await held).toEqual(how === 'thaws' ? { accessToken: access_token } : 'gone');
      expect(identity.reuses).toEqual([]);
    },
  );
});
