import { readlinkSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { codeOf, fileError } from './file-errors.ts';

/** As many as Linux follows. */
const LINKS = 40;

function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    // No link, or nothing there.
    if (codeOf(error) === 'EINVAL' || codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** As `realpath`, also where the end of the path is still to be made. */
function follow(path: string, links: number): string {
  if (links === 0) throw Object.assign(new Error('too many symbolic links'), { code: 'ELOOP' });
  try {
    return realpathSync.native(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
  }
  const target = linkAt(path);
  if (target !== undefined) return follow(resolve(dirname(path), target), links - 1);
  return join(follow(dirname(path), links), basename(path));
}

/** The file that a path means: `~` is the home directory, and symbolic links are followed, dangling ones too. */
export function realPathOf(path: string): string {
  const expanded = path === '~' || /^~[\\/]/.test(path) ? join(homedir(), path.slice(1)) : path;
  try {
    return follow(resolve(expanded), LINKS);
  } catch (error) {
    throw fileError('found', expanded, error);
  }
}
