import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { ConsoleMessage, Page } from 'playwright-core';
import { describeChromium, startChromium, type Browsing } from './chromium.ts';
import { faintTexts } from './contrast.ts';

const root = new URL('../../', import.meta.url);
const shots = fileURLToPath(new URL('reports/demo-web/', root));

/** The page, as `npm run demo:web` serves it. */
interface Demo {
  readonly process: ChildProcess;
  readonly url: string;
}

async function startDemo(): Promise<Demo> {
  const { scripts } = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const [command, ...flags] = scripts['demo:web']!.split(' ');
  expect(command).toBe('node');
  const stdio = ['ignore', 'pipe', 'inherit'] as const;
  const started = spawn(process.execPath, [...flags, '--lifetime', '5'], { cwd: root, stdio: [...stdio] });
  for await (const line of createInterface(started.stdout!)) {
    const [url] = /http:\S+/.exec(line) ?? [];
    if (url !== undefined) return { process: started, url };
  }
  throw new Error('The demo ended without an address.');
}

// Chromium reports each answer like these to the console, whatever the page does about it.
const REFUSED = /^Failed to load resource: the server responded with a status of (?:401|503) /;

const complaints: string[] = [];

function listen(page: Page): void {
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message: ConsoleMessage) => {
    const isComplaint = /error|warning/.test(message.type());
    if (isComplaint && !REFUSED.test(message.text())) complaints.push(message.text());
  });
}

let demo: Demo;
let browsing: Browsing;
let a: Page;
let b: Page;

function click(page: Page, action: string): Promise<void> {
  return page.click(`[data-action="${action}"]`);
}

/** Waits until it is there. */
function seen(page: Page, selector: string, hasText: string | RegExp = ''): Promise<void> {
  return page.locator(selector, { hasText }).first().waitFor({ state: 'attached' });
}

function onBoth(selector: string, hasText: string | RegExp): Promise<unknown> {
  return Promise.all([a, b].map((page) => seen(page, selector, hasText)));
}

/** A number that a lane shows. */
async function count(page: Page, tab: string, name: string): Promise<number> {
  return Number(await page.textContent(`[data-tab="${tab}"] [data-count="${name}"]`));
}

function reached(page: Page, [tab, name, atLeast]: [string, string, number]): Promise<unknown> {
  const selector = `[data-tab="${tab}"] [data-count="${name}"]`;
  return page.waitForFunction(([one, least]) => Number(document.querySelector(one)?.textContent) >= least, [
    selector,
    atLeast,
  ] as const);
}

async function openTab(): Promise<Page> {
  const page = await browsing.context.newPage();
  listen(page);
  await page.goto(demo.url);
  await seen(page, '.lane.mine .state', /signed out|fresh|due/);
  return page;
}

async function shoot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: `${shots}${name}.png` });
}

describeChromium('the page of two tabs', () => {
  beforeAll(async () => {
    await mkdir(shots, { recursive: true });
    [demo, browsing] = await Promise.all([startDemo(), startChromium()]);
    a = await openTab();
    b = await openTab();
  });

  afterAll(async () => {
    await browsing.close();
    demo.process.kill();
  });

  test('offers a sign-in and what needs none before a sign-in', async () => {
    await onBoth('.lane.mine .state', 'signed out');
    const enabled = await a.locator('button:enabled:visible').evaluateAll((buttons) => {
      return buttons.map((button) => (button as HTMLElement).dataset['action']);
    });
    expect(enabled).toEqual(['sign-in', 'break']);
    await shoot(a, 'signed-out');
  });

  describe('on one sign-in', () => {
    beforeEach(async () => {
      if (await a.isEnabled('[data-action="sign-in"]')) await click(a, 'sign-in');
      await onBoth('.lane.mine .state', /fresh|due/);
    });

    test('shows one sign-in, and the other tab with its access token', async () => {
      await onBoth('[data-tab="A"] .token[data-origin="signed-in"]', 'S #');
      await onBoth('[data-tab="B"] .token[data-origin="adopted"]', 'A #');
      await onBoth('[data-tab="B"] .figure', /^[1-5]\.\d s$/);
      expect(await a.isDisabled('[data-action="sign-in"]')).toBe(true);
      expect(await a.textContent('#told')).toBe('Tab A: signed in');
    });

    test('shows who refreshed and held the lock, and that the other tab adopted', async () => {
      await click(a, 'revoke');
      await onBoth('.token[data-origin="refreshed"]', 'R #');
      const [sign = ''] = await a.locator('.token[data-origin="refreshed"] .sign').allTextContents();
      const generation = sign.slice('R '.length);
      await onBoth('.lane .token[data-origin="adopted"]', `A ${generation}`);
      const refresher = await a.locator('.lane', { hasText: sign }).getAttribute('data-tab');
      await onBoth(`[data-tab="${refresher}"] .lock-held`, '');
      await onBoth('#log li', `refreshed: access token ${generation}`);
      await onBoth('#log li', `adopted access token ${generation} from the store`);
      await onBoth('#presented', /[1-9]/);
      expect(await a.textContent('#reused')).toBe('0');
    });

    test('shows the 401s of a revoked access token, and that callers see none', async () => {
      const before = (await count(a, 'A', 'refused')) + (await count(a, 'B', 'refused'));
      await click(b, 'revoke');
      await a.waitForFunction((least) => {
        const counts = [...document.querySelectorAll('[data-count="refused"]')];
        return counts.reduce((sum, { textContent }) => sum + Number(textContent), 0) > least;
      }, before);
      await onBoth('.mark[data-outcome="refused"]', '✕');
      await onBoth('#log li', 'sent a refused request again');
      expect(await count(a, 'A', 'failed')).toBe(0);
      expect(await count(a, 'B', 'failed')).toBe(0);
    });

    test('sends a storm of requests in every tab', async () => {
      const before = await Promise.all(['A', 'B'].map((tab) => count(b, tab, 'answered')));
      await click(a, 'storm');
      for (const [index, tab] of ['A', 'B'].entries()) {
        await onBoth(`#log li:has(.badge:text-is("${tab}"))`, 'weathered the storm: 25 of 25');
        expect(await count(b, tab, 'answered')).toBeGreaterThanOrEqual(before[index]! + 25);
      }
    });

    test('breaks the token endpoint, and mends it', async () => {
      await click(a, 'break');
      await onBoth('#endpoint', 'broken: 503');
      await onBoth('#told', '; the token endpoint is broken');
      await onBoth('#log li', 'broke the token endpoint');
      await click(a, 'revoke');
      await onBoth('#log li', 'refresh failed: ERR_REFRESH_FAILED');
      await onBoth('.mark[data-outcome="failed"]', '▲');
      await onBoth('.state', 'backing off');
      await click(b, 'mend');
      await onBoth('#endpoint', 'answers');
      await onBoth('.lane.mine .state', /fresh/);
    });

    test('leaves the keyboard where it was when one button takes the place of another', async () => {
      for (const [pressed, next] of [
        ['break', 'mend'],
        ['mend', 'break'],
      ] as const) {
        await a.press(`#${pressed}`, 'Enter');
        await a.locator(`#${next}`).waitFor();
        expect(await a.evaluate(() => document.activeElement?.id)).toBe(next);
      }
    });

    test('sends nothing by itself where that is switched off', async () => {
      await a.uncheck('#traffic');
      const pause = async (): Promise<unknown> =>
        reached(a, ['B', 'answered', (await count(a, 'B', 'answered')) + 2]);
      // What was under way is answered first.
      await pause();
      const own = await count(a, 'A', 'answered');
      await pause();
      expect(await count(a, 'A', 'answered')).toBe(own);
      await a.check('#traffic');
      await reached(a, ['A', 'answered', own + 2]);
    });

    test('keeps the place of people who read on in the log while lines come', async () => {
      const place = (): Promise<unknown> =>
        a.locator('#log').evaluate((log) => {
          const { top } = log.getBoundingClientRect();
          return [...log.children].find((line) => line.getBoundingClientRect().bottom > top)?.textContent;
        });
      await a.locator('#log').evaluate((log) => log.scrollTo(0, 400));
      const read = await place();
      const newest = await a.locator('#log li').first().textContent();
      await click(b, 'storm');
      await a.waitForFunction((line) => document.querySelector('#log li')?.textContent !== line, newest);
      expect(await place()).toBe(read);
    });

    test('opens another tab on the same sign-in, and misses it when it is closed', async () => {
      const [other] = await Promise.all([browsing.context.waitForEvent('page'), click(a, 'open')]);
      listen(other);
      await seen(other, '[data-tab="C"].mine .state', /fresh|due/);
      await seen(other, '[data-tab="B"]');
      await onBoth('[data-tab="C"] .token[data-origin="adopted"]', 'A #');
      await other.close();
      await Promise.all([a, b].map((page) => page.locator('[data-tab="C"]').waitFor({ state: 'detached' })));
    });

    test('fits a phone', async () => {
      for (const width of [375, 320]) {
        await b.setViewportSize({ width, height: 812 });
        const widths = await b.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
        expect(widths[0]).toBeLessThanOrEqual(widths[1]!);
      }
      await b.setViewportSize({ width: 375, height: 1900 });
      await shoot(b, 'phone');
    });

    test('has enough contrast in light and dark, and is told apart without colours', async () => {
      await a.setViewportSize({ width: 1280, height: 1000 });
      for (const colorScheme of ['light', 'dark'] as const) {
        await a.emulateMedia({ colorScheme });
        expect(await a.evaluate(faintTexts)).toEqual([]);
        await shoot(a, `desktop-${colorScheme}`);
      }
      await a.emulateMedia({ colorScheme: 'light' });
      const session = await browsing.context.newCDPSession(a);
      await session.send('Emulation.setEmulatedVisionDeficiency', { type: 'achromatopsia' });
      await shoot(a, 'desktop-greyscale');
      await session.detach();
    });

    test('moves in steps of a second for people who want no motion', async () => {
      await a.emulateMedia({ reducedMotion: 'reduce' });
      const now = (): Promise<string> =>
        a.locator('#lanes').evaluate((lanes) => lanes.style.getPropertyValue('--now'));
      await a.waitForFunction(
        (before) => {
          const lanes = document.querySelector<HTMLElement>('#lanes')!;
          return lanes.style.getPropertyValue('--now') !== before;
        },
        await now(),
      );
      expect(await now()).toMatch(/^\d+$/);
    });

    test('offers a sign-in once site data were cleared', async () => {
      const session = await browsing.context.newCDPSession(a);
      const { origin } = new URL(demo.url);
      await session.send('Storage.clearDataForOrigin', { origin, storageTypes: 'indexeddb' });
      await session.detach();
      await onBoth('#log li', 'signed out: the store was emptied');
      await onBoth('.lane.mine .state', 'signed out');
      await a.locator('#sign-in:enabled').waitFor({ timeout: 5000 });
      await click(a, 'sign-in');
      await onBoth('.lane.mine .state', /fresh|due/);
    });

    test('signs out in all tabs', async () => {
      await click(b, 'sign-out');
      await onBoth('[data-tab="A"] .state', 'signed out');
      await onBoth('[data-tab="B"] .state', 'signed out');
      await onBoth('#log li', 'signed out, by another tab');
      expect(await a.isEnabled('[data-action="sign-in"]')).toBe(true);
    });
  });

  test('has said nothing on the console by then', () => {
    expect(complaints).toEqual([]);
  });

  test('ends with Ctrl-C', async () => {
    const ended = once(demo.process, 'exit');
    demo.process.kill('SIGINT');
    expect(await ended).toEqual([0, null]);
  });
});
