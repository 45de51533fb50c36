import { dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { AccessTokenError } from '@unexpired/core';
import { createDurably, readIfThere, removeLeftovers, replaceFile, type FileSystem } from './atomic-file.ts';
import { NO_CREDENTIALS, parseCredentials, serializeCredentials, type Credentials } from './credentials.ts';
import { codeOf, fileError } from './file-errors.ts';
import { shareNext } from './share-next.ts';

/** The file as a whole. Only the holder of its write lock may write or put aside. */
export interface CredentialsFile {
  /** @throws UnreadableCredentials where it is there and cannot be understood */
  read(): Promise<Credentials>;
  /** `beforeRename` is called at the last moment; where it rejects nothing is written. */
  write(credentials: Credentials, beforeRename: () => Promise<void>): Promise<void>;
  /** Keeps a copy under another name, so that no moment is without a file. */
  keepAside(): Promise<void>;
}

/** A program that writes in place, without our lock, may be in the middle of it. */
const READS = 4;
const REREAD_MS = 15;

export function createCredentialsFile(path: string, fs: FileSystem): CredentialsFile {
  let isTidy = false;

  async function readBytes(): Promise<Uint8Array | undefined> {
    try {
      return await readIfThere(fs, path);
    } catch (error) {
      throw fileError('read', path, error);
    }
  }

  async function read(): Promise<Credentials> {
    for (let left = READS - 1; ; left -= 1) {
      const bytes = await readBytes();
      if (bytes === undefined) return NO_CREDENTIALS;
      try {
        return parseCredentials(bytes, path);
      } catch (error) {
        if (left === 0) throw error;
        await setTimeout(REREAD_MS);
      }
    }
  }

  return {
    // One change may make all accounts of a file ask at once.
    read: shareNext(read),

    async write(credentials, beforeRename) {
      try {
        await fs.mkdir(dirname(path), { recursive: true, mode: 0o700 });
        if (!isTidy) await removeLeftovers(fs, path);
        isTidy = true;
        await replaceFile(fs, path, { content: serializeCredentials(credentials), beforeRename });
      } catch (error) {
        if (error instanceof AccessTokenError) throw error;
        throw fileError('written', path, error);
      }
    },

    async keepAside() {
      const bytes = await readBytes();
      if (bytes === undefined) return;
      const aside = `${path}.broken-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`;
      for (let i = 1; ; i += 1) {
        try {
          return await createDurably(fs, i === 1 ? aside : `${aside}-${i}`, bytes);
        } catch (error) {
          if (codeOf(error) !== 'EEXIST') throw fileError('kept aside', path, error);
        }
      }
    },
  };
}
