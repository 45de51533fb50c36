import { AccessTokenError } from '@unexpired/core';

/** What to do about the codes of the operating system that people meet. */
const ADVICE: Readonly<Record<string, string>> = {
  EACCES: 'this user may not do that; give it the file and its directory',
  EDQUOT: 'the quota is used up; free some space',
  EISDIR: 'it is a directory; give the path of a file',
  ELOOP: 'its symbolic links lead in a circle',
  ENOLCK: 'its file system has no locks; use a local one',
  ENOSPC: 'the disk is full; free some space',
  ENOTDIR: 'a part of its path is a file',
  EOPNOTSUPP: 'its file system has no locks; use a local one',
  EPERM: 'this user may not do that; give it the file and its directory',
  EROFS: 'its file system is read-only',
};

export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** The error for a file that the operating system refused: what failed, where, and what helps. */
export function fileError(doing: string, path: string, cause: unknown): AccessTokenError {
  const code = codeOf(cause) ?? 'an unknown error';
  const advice = ADVICE[code];
  return new AccessTokenError(
    'ERR_STORE_FAILED',
    `${path} could not be ${doing} (${code}${advice === undefined ? '' : `: ${advice}`}). Nothing in memory was lost.`,
    { cause },
  );
}
