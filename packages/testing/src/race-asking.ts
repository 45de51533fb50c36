import { setTimeout } from 'node:timers/promises';
import { explain401, type TokenSource } from '@unexpired/core';
import type { Asking, SeenToken } from './race-protocol.ts';

/** Where the requests of the race would go. Nothing is ever sent there. */
export const API = 'https://api.example.com';

const PAUSE_MS: Record<Asking, number> = { expiry: 5, refusal: 0 };
const PAUSE_AFTER_FAILURE_MS = 25;

/** So many callers ask for the access token at the same time. */
export async function getAccessToken(source: TokenSource, callers: number): Promise<SeenToken> {
  const [accessToken] = await Promise.all(Array.from({ length: callers }, () => source.getAccessToken()));
  return { generation: source.status().generation, accessToken: accessToken! };
}

async function replay(source: TokenSource): Promise<void> {
  const sent = await source.authorize({ url: API, method: 'GET' });
  const native = {};
  const refusal = { url: API, status: 401, header: () => undefined, native };
  const again = await source.reauthorize(sent!, refusal, { replayable: true });
  if (again !== undefined) source.settled(again, 200);
  else throw explain401(native)?.error ?? new Error(`There was no replay: ${explain401(native)?.reason}.`);
}

/** So many callers have their access token refused at the same time; then the one that replaced it works. */
export async function refuse(source: TokenSource, callers: number): Promise<SeenToken> {
  await Promise.all(Array.from({ length: callers }, () => replay(source)));
  return getAccessToken(source, 1);
}

/** What is told of a process that asks for ever. */
export interface AskingReport {
  readonly onToken: (token: SeenToken) => void;
  readonly onFailure: (error: unknown) => void;
}

export interface Asker {
  /** Undefined: stop after what is under way. */
  ask(asking: Asking | undefined): void;
  /** Once it was told to stop: resolves when nothing is under way any more. */
  rest(): Promise<void>;
}

/** Asks for ever, once it is told to. */
export function createAsker(source: TokenSource, callers: number, report: AskingReport): Asker {
  let current: Asking | undefined;
  let last: string | undefined;
  let running: Promise<void> | undefined;

  async function askOnce(asking: Asking): Promise<number> {
    try {
      const token = await (asking === 'expiry' ? getAccessToken(source, callers) : refuse(source, callers));
      if (token.accessToken !== last) report.onToken(token);
      last = token.accessToken;
      return PAUSE_MS[asking];
    } catch (error) {
      report.onFailure(error);
      return PAUSE_AFTER_FAILURE_MS;
    }
  }

  async function run(): Promise<void> {
    while (current !== undefined) await setTimeout(await askOnce(current));
    running = undefined;
  }
  return {
    ask(asking) {
      current = asking;
      if (asking !== undefined) running ??= run();
    },
    async rest() {
      if (current === undefined) await running;
    },
  };
}
