import { createTokenSource, explain401 } from '@unexpired/core';
import { fetchAuth } from '@unexpired/fetch';
import { refreshTokenGrant } from '@unexpired/oauth';
import { createRedisStore } from '@unexpired/store-redis';
import { createClient } from 'redis';

export interface WorkerSettings {
  readonly apiUrl: string;
  readonly tokenEndpoint: string;
  readonly clientId: string;
  readonly redisUrl: string;
}

export interface Worker {
  readonly getJson: (path: string) => Promise<unknown>;
  /** For the end of the process. */
  readonly close: () => Promise<void>;
}

export async function createWorker(settings: WorkerSettings): Promise<Worker> {
  const { apiUrl, tokenEndpoint, clientId, redisUrl } = settings;
  const client = createClient({ url: redisUrl });
  const subscriber = client.duplicate();
  for (const connection of [client, subscriber]) {
    // Without a listener the first lost connection would end the process; redis connects again by itself.
    connection.on('error', ({ message }: Error) => console.error(`Redis: ${message}`));
    await connection.connect();
  }
  const tokens = createTokenSource({
    origins: [new URL(apiUrl).origin],
    refresh: refreshTokenGrant({ tokenEndpoint, clientId }),
    store: createRedisStore({ client, subscriber, prefix: 'reports:' }),
    account: 'fleet',
  });
  const authFetch = fetchAuth(tokens);

  return {
    async getJson(path) {
      const response = await authFetch(`${apiUrl}${path}`, { signal: AbortSignal.timeout(60_000) });
      if (response.ok) return response.json();
      await response.body?.cancel();
      throw explain401(response)?.error ?? new Error(`GET ${path} was answered ${response.status}`);
    },
    async close() {
      try {
        await tokens.flush();
      } finally {
        // Last, since what a refresh brought is stored through them.
        await tokens.close();
        await Promise.all([client.close(), subscriber.close()]);
      }
    },
  };
}
