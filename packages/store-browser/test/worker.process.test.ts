import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  createAuthorizationServer,
  createResourceServer,
  type AuthorizationServer,
  type ResourceServer,
} from '@unexpired/testing';
import type { Page } from 'playwright-core';
import { bundle } from '../../../test/browser/bundle.ts';
import { describeChromium, startChromium, type Browsing } from '../../../test/browser/chromium.ts';
import { startSite, type Site } from '../../../test/browser/site.ts';
// For `globalThis.stores` and `globalThis.viaWorker` of the pages.
import type {} from './page.ts';
import type {} from './worker/entry.ts';

test.each(['worker.ts', 'page.ts'])('the README shows %s as it is tested', async (name) => {
  const code = await readFile(new URL(`worker/${name}`, import.meta.url), 'utf8');
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  expect(readme).toContain(`\`\`\`ts\n${code}\`\`\``);
});

declare global {
  var hints: Promise<unknown>;
}

let browsing: Browsing;
let site: Site;
let identity: AuthorizationServer;
let api: ResourceServer;

async function scriptOf(name: string): Promise<string> {
  const { code } = await bundle(new URL(`worker/${name}`, import.meta.url));
  return code
    .replaceAll('https://id.example.com', identity.origin)
    .replaceAll('https://api.example.com', api.origin);
}

async function openTab(): Promise<Page> {
  const page = await browsing.context.newPage();
  await page.goto(site.origin);
  return page;
}

describeChromium('a worker', () => {
  beforeAll(async () => {
    identity = await createAuthorizationServer({ cors: true });
    api = await createResourceServer({ cors: true, accepts: identity.isAccessTokenValid });
    const stores = await bundle(new URL('page.ts', import.meta.url));
    site = await startSite({
      '/stores.js': stores.code,
      '/page.js': await scriptOf('entry.ts'),
      '/worker.js': await scriptOf('worker.ts'),
    });
    browsing = await startChromium();
  });

  afterAll(async () => {
    await browsing.close();
    await Promise.all([site.close(), identity.close(), api.close()]);
  });

  test('as in the README sends the requests of all tabs with one credential, and keeps its tokens to itself', async () => {
    const tabs = [await openTab(), await openTab()];
    const first = await identity.signIn();
    await tabs[0]!.evaluate((form) => viaWorker.signIn(form), {
      grant_type: 'refresh_token',
      refresh_token: first.refresh_token,
      client_id: 'page',
    });
    identity.revokeAccessTokens();
    const statuses = await Promise.all(
      [...tabs, ...tabs].map((page) =>
        page.evaluate(async (url) => {
          const response = await viaWorker.authFetch(url, { method: 'POST', body: 'text' });
          return [response.status, ((await response.json()) as { length: number }).length];
        }, `${api.origin}/things`),
      ),
    );
    expect(statuses).toEqual([200, 200, 200, 200].map((status) => [status, 4]));
    expect(identity.presentations.map(({ outcome }) => outcome)).toEqual(['accepted', 'accepted']);
    expect(await tabs[0]!.evaluate(async () => (await indexedDB.databases()).length)).toBe(0);
  });

  test('as in the README hands a 401 on, and tells of a dead credential by its code', async () => {
    const page = await openTab();
    identity.revokeGrant(identity.exchanges.at(-1)!.issued!.access_token);
    const send = (): Promise<unknown> =>
      page.evaluate(
        (url) =>
          viaWorker.authFetch(url).then(
            ({ status }) => status,
            (error: { code?: string }) => error.code,
          ),
        `${api.origin}/things`,
      );
    expect(await send()).toBe(401);
    expect(await send()).toBe('ERR_REAUTHENTICATION_REQUIRED');
  });

  test('shares records, locks and hints with the pages of its origin', async () => {
    const page = await openTab();
    const starting = page.waitForEvent('worker');
    await page.evaluate(async () => {
      await import(String('/stores.js'));
      new Worker('/stores.js', { type: 'module' });
    });
    const worker = await starting;
    const place = { name: 'shared', account: 'ann' };
    await worker.evaluate(async (at) => {
      while (!('stores' in globalThis)) await new Promise((resolve) => setTimeout(resolve, 5));
      globalThis.hints = new Promise((resolve) => {
        globalThis.hinted = async () => resolve('hinted');
      });
      stores.listen(at, 1);
    }, place);
    await page.evaluate(
      (at) => stores.write(at, { version: 1, revision: 1, epoch: 'e', generation: 1 }, undefined),
      place,
    );
    expect(await worker.evaluate(() => globalThis.hints)).toBe('hinted');
    expect(await worker.evaluate((at) => stores.read(at), place)).toMatchObject({ revision: 1 });

    await worker.evaluate(async (at) => {
      await new Promise<void>((resolve) => {
        globalThis.runTask = () => {
          resolve();
          return new Promise(() => undefined);
        };
        void stores.runExclusive(at, 2, false);
      });
    }, place);
    const { held } = await page.evaluate(() => navigator.locks.query());
    expect(held?.map(({ name }) => name)).toEqual(['unexpired:["shared","ann"]']);
  });
});
