import type { ExclusiveSection, TokenStore } from '@unexpired/core';
import type { Page } from 'playwright-core';
// For `globalThis.stores` of the page.
import type {} from './page.ts';

type Task = (section: ExclusiveSection) => Promise<unknown>;
type Outcome = { readonly value: unknown } | { readonly error: unknown };

interface Remote {
  readonly page: Page;
  readonly tasks: Map<number, () => Promise<boolean>>;
  readonly listeners: Map<number, () => void>;
  /** What a page was asked to follow before anything is written through another one. */
  readonly following: Promise<unknown>[];
}

const section: ExclusiveSection = { signal: new AbortController().signal, clock: undefined };

let count = 0;

/** Told to a page that may be gone meanwhile. */
const ignored = (): void => undefined;

/** Lets a page run tasks and give hints in this process. */
async function connect(page: Page, following: Promise<unknown>[]): Promise<Remote> {
  const remote: Remote = { page, tasks: new Map(), listeners: new Map(), following };
  await page.exposeFunction('runTask', (id: number) => remote.tasks.get(id)!());
  await page.exposeFunction('hinted', (id: number) => remote.listeners.get(id)?.());
  return remote;
}

async function runExclusive(
  { page, tasks }: Remote,
  { name, account, task }: { readonly name: string; readonly account: string; readonly task: Task },
  signal: AbortSignal,
): Promise<unknown> {
  const id = (count += 1);
  let outcome: Outcome | undefined;
  tasks.set(id, async () => {
    outcome = await task(section).then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    return 'value' in outcome;
  });
  const given = { name, account, id, isAborted: signal.aborted };
  const running = page.evaluate(
    (one) => stores.runExclusive({ name: one.name, account: one.account }, one.id, one.isAborted),
    given,
  );
  const abort = (): void => void page.evaluate((one) => stores.abort(one), id).catch(ignored);
  signal.addEventListener('abort', abort, { once: true });
  const ended = await running;
  if (ended === 'aborted') throw signal.reason;
  if (ended === 'succeeded') return (outcome as { readonly value: unknown }).value;
  throw (outcome as { readonly error: unknown }).error;
}

function storeOf(remote: Remote, name: string): TokenStore {
  const { page, listeners, following } = remote;
  return {
    read: (account) => page.evaluate((place) => stores.read(place), { name, account }),
    async write(account, record, expected) {
      await Promise.all(following);
      const given = { name, account, record, expected };
      return page.evaluate((one) => stores.write(one, one.record, one.expected), given);
    },
    runExclusive: <T>(
      account: string,
      task: (section: ExclusiveSection) => Promise<T>,
      signal: AbortSignal,
    ) => runExclusive(remote, { name, account, task }, signal) as Promise<T>,
    subscribe(account, onChange) {
      const id = (count += 1);
      listeners.set(id, onChange);
      following.push(page.evaluate((one) => stores.listen(one, one.id), { name, account, id }));
      return () => void page.evaluate((one) => stores.stop(one), id).catch(ignored);
    },
  };
}

/** Opens stores over pages, for tests that run in this process: each time over the next page. */
export async function remoteStores(
  pages: readonly Page[],
): Promise<(name: string, index: number) => TokenStore> {
  const following: Promise<unknown>[] = [];
  const remotes = await Promise.all(pages.map((page) => connect(page, following)));
  return (name, index) => storeOf(remotes[index % remotes.length]!, name);
}
