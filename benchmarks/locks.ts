// What keeps processes apart: the exclusive sections of the stores, and what people use for it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TokenStore } from '@unexpired/core';

export type LockName = 'store-file' | 'store-redis' | 'proper-lockfile';

/** Where the processes meet. */
export interface Meeting {
  readonly folder: string;
  readonly redisSocket: string | undefined;
}

/** Runs a task while no other process runs one. */
export type Lock = <T>(task: () => Promise<T>) => Promise<T>;

/** The shortest limit that it takes; 10 s if none is given. */
export const STALE_MS = 2000;
/** As often as the file store looks. */
const POLL = { retries: 10_000, factor: 1, minTimeout: 5, maxTimeout: 20, randomize: true };

const never = new AbortController().signal;

/** Of one clock for all processes of the machine, in milliseconds. */
export const now = (): number => Number(process.hrtime.bigint()) / 1e6;

export const labelOf = (name: LockName): string => (name === 'proper-lockfile' ? name : `@unexpired/${name}`);

export const pathIn = ({ folder }: Meeting): string => join(folder, 'credentials.json');

/** A folder of its own for each meeting. */
export function createMeeting(redisSocket: string | undefined): Meeting & { readonly remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'unexpired-bench-'));
  return { folder, redisSocket, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

// What is not measured is not loaded: these processes have to start fast, many at a time.
export async function openStore(
  name: Exclude<LockName, 'proper-lockfile'>,
  meeting: Meeting,
): Promise<TokenStore> {
  if (name === 'store-file') {
    const { createFileStore } = await import('@unexpired/store-file');
    return createFileStore({ path: pathIn(meeting) });
  }
  const [{ createClient }, { createRedisStore }] = await Promise.all([
    import('redis'),
    import('@unexpired/store-redis'),
  ]);
  const client = createClient({ socket: { path: meeting.redisSocket!, tls: false } });
  const subscriber = client.duplicate();
  for (const each of [client, subscriber]) await each.on('error', () => undefined).connect();
  return createRedisStore({ client, subscriber, prefix: `${meeting.folder}:` });
}

interface ProperLockfile {
  lock(path: string, options: object): Promise<() => Promise<void>>;
}

async function properLock(meeting: Meeting): Promise<Lock> {
  // @ts-expect-error The package ships no types.
  const { default: lockfile } = (await import('proper-lockfile')) as { default: ProperLockfile };
  // It wants the file to be there.
  writeFileSync(pathIn(meeting), '', { flag: 'a' });
  return async (task) => {
    const options = { stale: STALE_MS, retries: POLL, onCompromised: () => undefined };
    const release = await lockfile.lock(pathIn(meeting), options);
    try {
      return await task();
    } finally {
      await release();
    }
  };
}

export async function openLock(name: LockName, meeting: Meeting): Promise<Lock> {
  if (name === 'proper-lockfile') return properLock(meeting);
  const store = await openStore(name, meeting);
  return (task) => store.runExclusive('default', task, never);
}
