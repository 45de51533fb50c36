import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createTokenSource,
  type CredentialRecord,
  type TokenEvent,
  type TokenSource,
  type TokenSourceOptions,
} from '@unexpired/core';
import { createFileStore } from '@unexpired/store-file';
import { createAuthorizationServer, startRace } from '@unexpired/testing';
import type { AuthorizationServer, FirstTokens, Race, RaceOptions } from '@unexpired/testing';
import { afterwards, refreshAt } from './world.ts';

export const API = 'https://api.example.com';

/** A credentials file, sources of this process over it, and other processes. */
export interface OneFile {
  readonly path: string;
  readonly server: AuthorizationServer;
  readonly events: readonly TokenEvent[];
  readonly createSource: (options?: Partial<TokenSourceOptions>) => TokenSource;
  /** Processes that do only what they are told, over the same file. */
  readonly race: (options?: Partial<RaceOptions>) => Promise<Race>;
  readonly stored: (account?: string) => Promise<CredentialRecord | undefined>;
  /** Resolves with the next event of the type. */
  readonly told: (type: TokenEvent['type']) => Promise<TokenEvent>;
}

const module = new URL('../packages/store-file/src/index.ts', import.meta.url);

export async function openFile(): Promise<OneFile> {
  const folder = await mkdtemp(join(tmpdir(), 'unexpired-one-file-'));
  afterwards(() => rm(folder, { recursive: true }));
  const path = join(folder, 'credentials.json');
  const server = await createAuthorizationServer();
  afterwards(server.close);
  const events: TokenEvent[] = [];
  const waiting = new Set<(event: TokenEvent) => void>();
  const onEvent = (event: TokenEvent): void => {
    events.push(event);
    for (const tell of waiting) tell(event);
  };
  return {
    path,
    server,
    events,
    createSource(options) {
      const store = createFileStore({ path });
      const source = createTokenSource({
        origins: [API],
        refresh: refreshAt(server),
        store,
        onEvent,
        ...options,
      });
      afterwards(() => source.close());
      return source;
    },
    async race(options) {
      const store = { module, export: 'createFileStore', options: { path } };
      const race = await startRace({ store, server, processes: 1, ...options });
      afterwards(() => race.end());
      return race;
    },
    async stored(account = 'default') {
      const { accounts } = JSON.parse(await readFile(path, 'utf8')) as {
        accounts: Record<string, CredentialRecord>;
      };
      return accounts[account];
    },
    told: (type) =>
      new Promise((resolve) => {
        const tell = (event: TokenEvent): void => {
          if (event.type !== type) return;
          waiting.delete(tell);
          resolve(event);
        };
        waiting.add(tell);
      }),
  };
}

/** What a sign-in returns whose access token is expired already. */
export async function expired({ signIn }: AuthorizationServer, account?: string): Promise<FirstTokens> {
  return { ...(await signIn({ account })), expires_in: 0 };
}

/** A 401 to the current access token; whether the request would be sent again. */
export async function refuse(source: TokenSource): Promise<boolean> {
  const sent = await source.authorize({ url: API, method: 'GET' });
  const refusal = { url: API, status: 401, header: () => undefined };
  const replay = await source.reauthorize(sent!, refusal, { replayable: true });
  if (replay !== undefined) source.settled(replay, 200);
  return replay !== undefined;
}
