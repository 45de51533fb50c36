import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { createClient } from 'redis';

export const hasRedis = spawnSync('redis-server', ['--version']).error === undefined;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A redis-server for this run alone, which answers. */
export async function startRedis(folder: string): Promise<AsyncDisposable & { readonly url: string }> {
  const port = await freePort();
  const place = ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder];
  // Every write is on disk before it is answered: what a rotated refresh token needs.
  const durable = ['--appendonly', 'yes', '--appendfsync', 'always'];
  const server = spawn('redis-server', [...place, ...durable], { stdio: 'ignore' });
  const exit = once(server, 'exit');
  const url = `redis://127.0.0.1:${port}`;
  const client = createClient({ url, socket: { reconnectStrategy: 20 } }).on('error', () => undefined);
  await Promise.race([
    client.connect(),
    exit.then(() => {
      throw new Error('redis-server ended at once');
    }),
  ]);
  client.destroy();
  return {
    url,
    async [Symbol.asyncDispose]() {
      server.kill();
      await exit;
    },
  };
}
