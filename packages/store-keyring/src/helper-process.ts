import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { AccessTokenError } from '@unexpired/core';
import type { HelperAnswer, HelperOrder, HelperRequest } from './helper-protocol.ts';
import { openKeyring } from './keyring.ts';
import { placeIn } from './place.ts';
import { openSharedKeyring } from './shared-keyring.ts';

new Worker(new URL(`./helper-end${extname(import.meta.url)}`, import.meta.url)).unref();

const { service, directory, limit } = JSON.parse(process.argv[2]!) as HelperOrder;
const keyring = openSharedKeyring(openKeyring(service), placeIn(directory, service), limit);

async function run(request: HelperRequest): Promise<unknown> {
  if (request.method === 'read') return keyring.read(request.account);
  const { account, record, expected, until } = request;
  return keyring.write({ account, record, expected: expected ?? undefined, until });
}

async function answer(request: HelperRequest): Promise<HelperAnswer> {
  const { id } = request;
  try {
    return { id, result: await run(request) };
  } catch (error) {
    if (error instanceof AccessTokenError) return { id, failure: error.message };
    // Others may quote what they were given.
    return { id, failure: `The keyring's helper process failed (${String((error as Error)?.name)}).` };
  }
}

process.on('message', (request: HelperRequest) => {
  void answer(request).then((message) => {
    // Nobody may be there any more.
    if (process.connected) process.send!(message, () => undefined);
  });
});

// A terminal sends these to all its processes; ours decides itself when it ends.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
