import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { CredentialRecord } from '@unexpired/core';
import type { Page } from 'playwright-core';
import { bundle } from '../../../test/browser/bundle.ts';
import {
  describeChromium,
  INSECURE_HOST,
  startChromium,
  type Browsing,
} from '../../../test/browser/chromium.ts';
import { startSite, type Site } from '../../../test/browser/site.ts';
// For `globalThis.stores` of the page.
import type {} from './page.ts';

let browsing: Browsing;
let site: Site;
let page: Page;
let count = 0;
let place: { readonly name: string; readonly account: string };

const first: CredentialRecord = { version: 1, revision: 1, epoch: 'e', generation: 1 };

function read(): Promise<CredentialRecord | undefined> {
  return page.evaluate((at) => stores.read(at), place);
}

function write(record: CredentialRecord, expected?: number | 'replace'): Promise<boolean> {
  return page.evaluate(({ at, ...given }) => stores.write(at, given.record, given.expected), {
    at: place,
    record,
    expected,
  });
}

/** Puts something else in the place of a record, or reads what was put aside. */
function inDatabase(store: string, value?: unknown): Promise<unknown> {
  return page.evaluate(
    async ({ name, account, store: of, value: put }) => {
      const opening = indexedDB.open(`unexpired:${name}`);
      await new Promise((resolve) => {
        opening.onsuccess = resolve;
      });
      const records = opening.result.transaction(of, 'readwrite').objectStore(of);
      const request = put === undefined ? records.get(account) : records.put(put, account);
      await new Promise((resolve) => {
        request.onsuccess = resolve;
      });
      opening.result.close();
      return request.result;
    },
    { ...place, store, value },
  );
}

describeChromium('what goes wrong in a browser', () => {
  beforeAll(async () => {
    const { code } = await bundle(new URL('page.ts', import.meta.url));
    site = await startSite({ '/page.js': code });
    browsing = await startChromium();
    page = await browsing.context.newPage();
    await page.goto(site.origin);
  });

  beforeEach(() => {
    count += 1;
    place = { name: `faults-${count}`, account: 'ann' };
  });

  afterAll(async () => {
    await browsing.close();
    await site.close();
  });

  test('a page that is no secure context may do nothing with a store, and is told why', async () => {
    const insecure = await browsing.context.newPage();
    await insecure.goto(`http://${INSECURE_HOST}:${site.port}`);
    const attempts = await insecure.evaluate(async (at) => {
      const message = (error: Error): string => error.message;
      return [
        await stores.read(at).catch(message),
        await stores
          .write(at, { version: 1, revision: 1, epoch: 'e', generation: 1 }, undefined)
          .catch(message),
        await stores.runExclusive(at, 1, false).catch(message),
      ];
    }, place);
    const told = expect.stringContaining('no secure context');
    expect(attempts).toEqual([told, told, told]);
    await insecure.close();
  });

  test('a page that may keep nothing is told so', async () => {
    const messages = await page.evaluate(
      (source) =>
        new Promise((resolve) => {
          const frame = document.createElement('iframe');
          // Without an origin, as a page for which site data are blocked.
          frame.setAttribute('sandbox', 'allow-scripts');
          frame.srcdoc = `<script type="module">${source.replaceAll('</script', '<\\/script')};
            const at = { name: 'n', account: 'a' };
            const attempts = [() => stores.read(at), () => stores.runExclusive(at, 1, false)];
            const failures = attempts.map((attempt) => attempt().catch((error) => error.message));
            parent.postMessage(await Promise.all(failures), '*');
          </script>`;
          addEventListener('message', ({ data }) => resolve(data), { once: true });
          document.body.append(frame);
        }),
      await (await fetch(`${site.origin}/page.js`)).text(),
    );
    const reason = 'the browser lets this page keep nothing';
    expect(messages).toEqual([
      expect.stringContaining(`IndexedDB could not be used: ${reason}`),
      expect.stringContaining(`Web Locks could not be used: ${reason}`),
    ]);
  });

  test('a database that may not even be looked for is told of in the same words', async () => {
    const barred = await browsing.context.newPage();
    await barred.addInitScript(() => {
      Object.defineProperty(globalThis, 'indexedDB', {
        get() {
          throw new DOMException('of the browser', 'SecurityError');
        },
      });
    });
    await barred.goto(site.origin);

    await expect(barred.evaluate((at) => stores.read(at), place)).rejects.toThrow(
      'the browser lets this page keep nothing',
    );
    await barred.close();
  });

  test('without room nothing is written, and the error says so', async () => {
    const session = await browsing.context.newCDPSession(page);
    await session.send('Storage.overrideQuotaForOrigin', { origin: site.origin, quotaSize: 1 });
    await expect(write(first)).rejects.toThrow('there is no room left for this site');
    await session.send('Storage.overrideQuotaForOrigin', { origin: site.origin });
    expect(await read()).toBeUndefined();
  });

  test('a write is on the disk when it settles, as far as the browser can be asked for that', async () => {
    const asked = await page.evaluate(async (at) => {
      type Open = (...given: unknown[]) => IDBTransaction;
      const open = Reflect.get(IDBDatabase.prototype, 'transaction') as Open;
      const modes: unknown[] = [];
      Reflect.set(IDBDatabase.prototype, 'transaction', function (this: IDBDatabase, ...given: unknown[]) {
        const opened = open.apply(this, given);
        modes.push([opened.mode, opened.durability]);
        return opened;
      });
      await stores.write(at, { version: 1, revision: 1, epoch: 'e', generation: 1 }, undefined);
      Reflect.set(IDBDatabase.prototype, 'transaction', open);
      return modes;
    }, place);
    expect(asked).toEqual([['readwrite', 'strict']]);
  });

  test('what the browser evicted reads as nothing', async () => {
    await write(first);
    const session = await browsing.context.newCDPSession(page);
    await session.send('Storage.clearDataForOrigin', { origin: site.origin, storageTypes: 'indexeddb' });
    expect(await read()).toBeUndefined();
    expect(await write(first)).toBe(true);
  });

  test.each([
    ['before a transaction', 2],
    ['during a transaction', 2],
    ['before each transaction', 3],
    ['during each transaction', 3],
  ])('a database that the browser closes %s is opened again, twice', async (when, times) => {
    await write(first);
    const answer = await page.evaluate(
      async ({ at, isBefore, times: left }) => {
        type Open = (...given: unknown[]) => IDBTransaction;
        const open = Reflect.get(IDBDatabase.prototype, 'transaction') as Open;
        Reflect.set(IDBDatabase.prototype, 'transaction', function (this: IDBDatabase, ...given: unknown[]) {
          left -= 1;
          if (left >= 0 && isBefore) this.close();
          const opened = open.apply(this, given);
          if (left >= 0) queueMicrotask(() => opened.abort());
          return opened;
        });
        const answered = await stores.read(at).catch(({ message }: Error) => message);
        Reflect.set(IDBDatabase.prototype, 'transaction', open);
        return answered;
      },
      { at: place, isBefore: when.startsWith('before'), times },
    );
    const told =
      'IndexedDB could not be used: the browser closed it, as when site data are cleared or the disk fails.';
    expect(answer).toEqual(times === 2 ? first : told);
  });

  test('a lock that is asked for in a frame that was removed is told of as that', async () => {
    const message = await page.evaluate(async () => {
      const frame = document.body.appendChild(document.createElement('iframe'));
      const { locks } = frame.contentWindow!.navigator;
      frame.remove();
      Object.defineProperty(navigator, 'locks', { configurable: true, value: locks });
      const failure = await stores
        .runExclusive({ name: 'removed', account: 'ann' }, 1, false)
        .catch((error: Error) => error.message);
      Reflect.deleteProperty(navigator, 'locks');
      return failure;
    });
    expect(message).toBe('Web Locks could not be used: this page is no longer shown.');
  });

  test('what is no record is neither read as nothing nor written over, and a sign-in keeps it aside', async () => {
    await write(first);
    await inDatabase('records', 'of another program');
    const told = `What IndexedDB holds for account 'ann' is not a record. Only a sign-in replaces it.`;
    await expect(read()).rejects.toThrow(told);
    await expect(write(first)).rejects.toThrow(told);
    expect(await write(first, 'replace')).toBe(true);
    expect(await read()).toEqual(first);
    expect(await inDatabase('aside')).toBe('of another program');
  });

  test.each([
    [2, 'its database was made by a newer version of this library'],
    [1, 'its database was made by another program'],
  ])('a database of version %d that is not ours is left alone: %s', async (version, told) => {
    await page.evaluate(
      ({ name, version: of }) =>
        new Promise<void>((resolve) => {
          const opening = indexedDB.open(`unexpired:${name}`, of);
          opening.onsuccess = () => {
            opening.result.close();
            resolve();
          };
        }),
      { name: place.name, version },
    );
    await expect(read()).rejects.toThrow(told);
    await expect(write(first, 'replace')).rejects.toThrow(told);
  });

  test('an abort right after the first request of a page ends the waiting, and the task is not run', async () => {
    const [holder, fresh] = await Promise.all([browsing.context.newPage(), browsing.context.newPage()]);
    await Promise.all([holder.goto(site.origin), fresh.goto(site.origin)]);
    await holder.evaluate((at) => {
      globalThis.runTask = () => new Promise(() => undefined);
      void stores.runExclusive(at, 1, false);
    }, place);
    const ended = fresh.evaluate((at) => {
      const running = stores.runExclusive(at, 2, false);
      stores.abort(2);
      return running;
    }, place);
    expect(await ended).toBe('aborted');
    await holder.close();
    // What asks for the lock all the same gets it now, and has no use for it.
    await fresh.waitForFunction(async () => {
      const { held, pending } = await navigator.locks.query();
      return held?.length === 0 && pending?.length === 0;
    });
    await fresh.close();
  });

  test('what is written stays so where nobody can be told', async () => {
    const mute = await browsing.context.newPage();
    await mute.goto(site.origin);
    const written = mute.evaluate(
      ([at, record]) => {
        globalThis.BroadcastChannel = class {
          constructor() {
            throw new Error('no channels here');
          }
        } as unknown as typeof BroadcastChannel;
        return stores.write(at, record, undefined);
      },
      [place, first] as const,
    );
    expect(await written).toBe(true);
    expect(await read()).toEqual(first);
    await mute.close();
  });

  test('a store that is not busy is in the way of nobody who deletes the database', async () => {
    await write(first);
    const events = await page.evaluate(
      (name) =>
        new Promise((resolve) => {
          const deleting = indexedDB.deleteDatabase(`unexpired:${name}`);
          deleting.onblocked = () => resolve('blocked');
          deleting.onsuccess = () => resolve('deleted');
        }),
      place.name,
    );
    expect(events).toBe('deleted');
    expect(await read()).toBeUndefined();
  });
});
