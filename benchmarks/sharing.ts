// One credential for many processes: unexpired over a store, and what people write with a lock file.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createTokenSource, type TokenResponse } from '@unexpired/core';
import { openLock, openStore, pathIn, type LockName, type Meeting } from './locks.ts';

/** What each process has of it. */
export interface Shared {
  signIn(tokens: TokenResponse): Promise<void>;
  getAccessToken(): Promise<string>;
}

export type Exchange = (refreshToken: string | undefined) => Promise<TokenResponse>;

async function withSource(
  name: Exclude<LockName, 'proper-lockfile'>,
  meeting: Meeting,
  exchange: Exchange,
): Promise<Shared> {
  return createTokenSource({
    origins: ['https://api.example.com'],
    store: await openStore(name, meeting),
    refresh: ({ refreshToken }) => exchange(refreshToken),
  });
}

interface Stored extends TokenResponse {
  readonly access_token: string;
  readonly expiresAt: number;
}

/** Done with care: a look before the lock and one under it, and a file that is replaced as a whole. */
async function withLockFile(meeting: Meeting, exchange: Exchange): Promise<Shared> {
  const path = pathIn(meeting);
  const lock = await openLock('proper-lockfile', meeting);
  const read = (): Stored => JSON.parse(readFileSync(path, 'utf8')) as Stored;
  const isFresh = ({ expiresAt }: Stored): boolean => Date.now() < expiresAt;
  const write = (tokens: TokenResponse): Stored => {
    const stored = { ...tokens, expiresAt: Date.now() + Number(tokens.expires_in) * 1000 } as Stored;
    writeFileSync(`${path}.${process.pid}`, JSON.stringify(stored), { mode: 0o600 });
    renameSync(`${path}.${process.pid}`, path);
    return stored;
  };
  const renew = async (): Promise<Stored> => {
    const stored = read();
    return isFresh(stored) ? stored : write(await exchange(stored.refresh_token));
  };
  return {
    async signIn(tokens) {
      write(tokens);
    },
    async getAccessToken() {
      const stored = read();
      return (isFresh(stored) ? stored : await lock(renew)).access_token;
    },
  };
}

export function connectShared(name: LockName, meeting: Meeting, exchange: Exchange): Promise<Shared> {
  return name === 'proper-lockfile' ? withLockFile(meeting, exchange) : withSource(name, meeting, exchange);
}
