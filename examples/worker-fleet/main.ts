import assert from 'node:assert/strict';
import { createTokenSource, type TokenResponse } from '@unexpired/core';
import { createAuthorizationServer, createResourceServer } from '@unexpired/testing';
import { createRedisStore } from '@unexpired/store-redis';
import { createClient } from 'redis';
import { makeFolder, start } from '../processes.ts';
import { tell } from '../tell.ts';
import { hasRedis, startRedis } from './redis.ts';

const WORKERS = 4;
const EXPIRIES = 5;
const LIFETIME_MS = 2000;

/** Somebody signs the fleet in, once. */
async function signIn(redisUrl: string, tokenResponse: TokenResponse): Promise<void> {
  const client = createClient({ url: redisUrl });
  client.on('error', ({ message }: Error) => console.error(`Redis: ${message}`));
  await client.connect();
  const tokens = createTokenSource({
    origins: ['https://unused.example'],
    refresh: () => ({}),
    store: createRedisStore({ client, prefix: 'reports:' }),
    account: 'fleet',
  });
  await tokens.signIn(tokenResponse);
  await tokens.close();
  client.destroy();
}

async function demonstrate(): Promise<void> {
  await using folder = await makeFolder();
  await using redis = await startRedis(folder.path);
  await using authorizationServer = await createAuthorizationServer({ expiresIn: LIFETIME_MS / 1000 });
  await using apiServer = await createResourceServer({ accepts: authorizationServer.isAccessTokenValid });
  const { exchanges, presentations, requestArrived, tokenEndpoint } = authorizationServer;
  await signIn(redis.url, await authorizationServer.signIn());

  const settings = { apiUrl: apiServer.origin, tokenEndpoint, clientId: 'fleet', redisUrl: redis.url };
  const env = { WORKER_SETTINGS: JSON.stringify(settings) };
  const file = new URL('process.ts', import.meta.url);
  const workers = Array.from({ length: WORKERS }, () => start(file, [], { env }));
  try {
    await Promise.all(workers.map(({ said }) => said(/working/)));
    await requestArrived(exchanges.length + EXPIRIES);
    for (const { child } of workers) child.kill('SIGTERM');
    for (const { ended } of workers) {
      const { code, stdout, stderr } = await ended;
      assert.equal(code, 0, stderr);
      assert.ok(Number(stdout) > 0);
    }
  } finally {
    for (const { child } of workers) child.kill('SIGKILL');
  }

  // Each refresh token once, and none before its access token was about to expire.
  assert.equal(new Set(presentations.map(({ refreshToken }) => refreshToken)).size, exchanges.length);
  assert.deepEqual(authorizationServer.reuses, []);
  const pauses = exchanges.slice(1).map(({ at }, index) => at - exchanges[index]!.at);
  assert.ok(Math.min(...pauses) > LIFETIME_MS / 4, `exchanges came after ${pauses.join(', ')} ms`);
  tell(
    `${WORKERS} processes, ${apiServer.requests.length} requests, ${exchanges.length} expiries, 1 exchange for each`,
  );
}

if (hasRedis) await demonstrate();
else if (process.env['CI']) throw new Error('redis-server is not installed; CI must have it');
else tell('skipped: redis-server is not installed');
