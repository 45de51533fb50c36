import http from 'node:http';
import type { TokenResponse } from '@unexpired/core';
import { Agent, setGlobalDispatcher } from 'undici';
import { messageOf, start } from './harness.ts';
import type { Place } from './place.ts';
import type { Behaviour, Seen } from './server.ts';

export interface Server extends Place {
  readonly url: string;
  /** Begins anew, with these first tokens. */
  begin(behaviour: Behaviour): Promise<TokenResponse>;
  seen(): Promise<Seen>;
  stop(): void;
}

export async function startServer(): Promise<Server> {
  const child = start('server.ts');
  const api = await messageOf<string>(child);
  const ask = <T>(question: Behaviour | 'report'): Promise<T> => {
    const answer = messageOf<T>(child);
    child.send(question);
    return answer;
  };
  return {
    api,
    url: `${api}/items`,
    tokenEndpoint: `${api}/token`,
    begin: (behaviour) => ask(behaviour),
    seen: () => ask('report'),
    stop: () => child.disconnect(),
  };
}

/** The same number of connections for all clients of this process. */
export function limitConnections(count: number): void {
  http.globalAgent.maxSockets = count;
  setGlobalDispatcher(new Agent({ connections: count }));
}
