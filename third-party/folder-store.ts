import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, realpathSync, watch } from 'node:fs';
import { copyFile, open, readFile, rename } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { createKeyedMutex, type CredentialRecord, type KeyedMutex, type TokenStore } from '@unexpired/core';

const neverLost = new AbortController().signal;
const section = { signal: neverLost, clock: undefined };

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

function hasCode(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException).code === code;
}

/** Takes a name of Linux' abstract sockets, which ends with its owner, however that ends; undefined: it is taken. */
async function take(name: string): Promise<Server | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<Server | undefined>();
  const server = createServer((socket) => socket.destroy());
  server.once('error', (error) => (hasCode(error, 'EADDRINUSE') ? resolve(undefined) : reject(error)));
  server.listen(`\0${name}`, () => resolve(server));
  return promise;
}

async function runLocked<T>(name: string, task: () => Promise<T>, signal: AbortSignal): Promise<T> {
  let held: Server | undefined;
  while ((held = await take(name)) === undefined) {
    // Not the AbortError of the timer.
    await setTimeout(5 + 15 * Math.random(), undefined, { signal }).catch(() => signal.throwIfAborted());
  }
  try {
    signal.throwIfAborted();
    return await task();
  } finally {
    held.close();
  }
}

/** All of it or nothing, and on the disk when it settles. */
async function writeWhole(folder: string, file: string, text: string): Promise<void> {
  const next = `${file}.${randomUUID()}`;
  const written = await open(next, 'wx', 0o600);
  try {
    await written.writeFile(text);
    await written.sync();
  } finally {
    await written.close();
  }
  await rename(next, file);
  const names = await open(folder, 'r');
  try {
    await names.sync();
  } finally {
    await names.close();
  }
}

/** Exclusion in this process first: its waiters then need not ask the system again and again. */
function createExclusion(scope: string): KeyedMutex['runExclusive'] {
  const mutex = createKeyedMutex();
  // Hashed, because names of sockets have to be short.
  return (key, task, signal) =>
    mutex.runExclusive(key, () => runLocked(hash(`${scope} ${key}`), task, signal), signal);
}

/** One file for each account, shared by all processes of one Linux machine that see the same network namespace. */
export function createFolderStore(path: string): TokenStore {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const folder = realpathSync(path);
  const fileOf = (account: string): string => join(folder, `${hash(account)}.json`);
  const writing = createExclusion(`write ${folder}`);
  const exclusive = createExclusion(`section ${folder}`);

  async function read(account: string): Promise<CredentialRecord | undefined> {
    try {
      return JSON.parse(await readFile(fileOf(account), 'utf8')) as CredentialRecord;
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined;
      // The message of a SyntaxError quotes what is in the file.
      throw error instanceof SyntaxError ? new Error(`${fileOf(account)} holds no JSON`) : error;
    }
  }

  async function keepAside(file: string): Promise<void> {
    await copyFile(file, `${file}.aside`).catch((error: unknown) => {
      if (!hasCode(error, 'ENOENT')) throw error;
    });
  }

  async function compareAndSet(
    account: string,
    record: CredentialRecord,
    expected: number | undefined | 'replace',
  ): Promise<boolean> {
    if (expected === 'replace') await keepAside(fileOf(account));
    else if ((await read(account))?.revision !== expected) return false;
    await writeWhole(folder, fileOf(account), JSON.stringify(record));
    return true;
  }

  return {
    read,
    write: (account, record, expected) =>
      writing(account, () => compareAndSet(account, record, expected), neverLost),
    runExclusive: (account, task, signal) => exclusive(account, () => task(section), signal),
    subscribe(account, onChange) {
      const name = `${hash(account)}.json`;
      const watcher = watch(folder, { persistent: false }, (_, changed) => changed === name && onChange());
      // A hint less.
      watcher.on('error', () => watcher.close());
      return () => watcher.close();
    },
  };
}
