import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from '@jest/globals';
import { chromium, type BrowserContext } from 'playwright-core';

const executablePath = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** Tests in a real browser. A developer's machine may have none; CI fails for what is skipped by this name. */
export function describeChromium(name: string, body: () => void): void {
  const [suite, title] = existsSync(executablePath)
    ? [describe, name]
    : // reason: the browser is missing
      [describe.skip, `${name} (chromium is not installed)`];
  suite(title, body);
}

/** A host that is reached over http and is no loopback address to the browser: no secure context. */
export const INSECURE_HOST = 'insecure.test';

const isRoot = process.getuid?.() === 0;
const options = {
  executablePath,
  headless: true,
  // The back/forward cache is on for people.
  ignoreDefaultArgs: ['--disable-back-forward-cache'],
  args: [`--host-resolver-rules=MAP ${INSECURE_HOST} 127.0.0.1`, ...(isRoot ? ['--no-sandbox'] : [])],
};

/** A loaded machine is no failure. */
const PATIENCE_MS = 60_000;

export interface Browsing {
  readonly context: BrowserContext;
  close(): Promise<void>;
}

/** A browser with a profile on the disk, which ends with it. */
export async function startChromium(): Promise<Browsing> {
  const profile = await mkdtemp(join(tmpdir(), 'unexpired-chromium-'));
  const context = await chromium.launchPersistentContext(profile, options);
  context.setDefaultTimeout(PATIENCE_MS);
  return {
    context,
    async close() {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}

/** A private window: nothing of it is on the disk. */
export async function startPrivateChromium(): Promise<Browsing> {
  const browser = await chromium.launch(options);
  const context = await browser.newContext();
  context.setDefaultTimeout(PATIENCE_MS);
  return { context, close: () => browser.close() };
}
