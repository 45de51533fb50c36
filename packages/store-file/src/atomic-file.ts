import { randomBytes } from 'node:crypto';
import nodeFs from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { codeOf } from './file-errors.ts';

/** What is used of node:fs/promises. */
export type FileSystem = Pick<typeof nodeFs, 'mkdir' | 'open' | 'readdir' | 'readFile' | 'rename' | 'rm'>;

const IS_WINDOWS = process.platform === 'win32';
/** Windows refuses to replace, and to read, a file that a virus scanner or a reader has open. */
const RETRIES = IS_WINDOWS ? 20 : 0;
const BUSY = new Set(['EACCES', 'EBUSY', 'EPERM']);

async function retried<T>(call: () => Promise<T>): Promise<T> {
  for (let left = RETRIES; ; left -= 1) {
    try {
      return await call();
    } catch (error) {
      if (left === 0 || !BUSY.has(codeOf(error) ?? '')) throw error;
      await setTimeout(10 + Math.random() * 20);
    }
  }
}

/** Undefined: there is none. */
export async function readIfThere(fs: FileSystem, path: string): Promise<Uint8Array | undefined> {
  try {
    return await retried(() => fs.readFile(path));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function syncDirectory(fs: FileSystem, path: string): Promise<void> {
  if (IS_WINDOWS) return;
  const directory = await fs.open(path, 'r');
  try {
    await directory.sync();
  } catch (error) {
    // Some file systems cannot, and then need not.
    if (codeOf(error) !== 'EINVAL' && codeOf(error) !== 'ENOTSUP') throw error;
  } finally {
    await directory.close();
  }
}

/** Writes a file that is not there yet, readable by its owner only from the first moment on, durably. */
async function create(fs: FileSystem, path: string, content: string | Uint8Array): Promise<void> {
  const file = await fs.open(path, 'wx', 0o600);
  try {
    // A umask may have taken even the owner's bits.
    await file.chmod(0o600);
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Writes a new file, with its directory entry, or leaves none; one that is there already is an EEXIST, and stays. */
export async function createDurably(fs: FileSystem, path: string, content: Uint8Array): Promise<void> {
  try {
    await create(fs, path, content);
    await syncDirectory(fs, dirname(path));
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') await fs.rm(path, { force: true }).catch(() => undefined);
    throw error;
  }
}

function temporaryPrefix(path: string): string {
  return `.${basename(path)}.`;
}

/** `beforeRename` is called at the last moment; where it rejects nothing is replaced. */
export interface Replacement {
  readonly content: string;
  readonly beforeRename: () => Promise<void>;
}

/** Replaces the file as a whole or not at all, durably. Its directory must be there. */
export async function replaceFile(
  fs: FileSystem,
  path: string,
  { content, beforeRename }: Replacement,
): Promise<void> {
  const name = `${temporaryPrefix(path)}${randomBytes(8).toString('hex')}.tmp`;
  const temporary = join(dirname(path), name);
  try {
    await create(fs, temporary, content);
    await beforeRename();
    await retried(() => fs.rename(temporary, path));
  } catch (error) {
    await fs.rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
  await syncDirectory(fs, dirname(path));
}

/** Removes what writers left that died, as far as it can be; nobody else may be writing. */
export async function removeLeftovers(fs: FileSystem, path: string): Promise<void> {
  const prefix = temporaryPrefix(path);
  const isOurs = (name: string): boolean =>
    name.startsWith(prefix) && /^[0-9a-f]{16}\.tmp$/.test(name.slice(prefix.length));
  const names = await fs.readdir(dirname(path)).catch(() => []);
  const removing = names.filter(isOurs).map((name) => fs.rm(join(dirname(path), name), { force: true }));
  await Promise.allSettled(removing);
}
