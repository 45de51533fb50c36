import { AccessTokenError } from '@unexpired/core';
import type { HelperAnswer, HelperOrder, HelperRequest } from './helper-protocol.ts';
import { openKeyring } from './keyring.ts';
import { placeIn } from './place.ts';
import { openSharedKeyring } from './shared-keyring.ts';

const { service, directory, limit } = JSON.parse(process.argv[2]!) as HelperOrder;
const keyring = openSharedKeyring(openKeyring(service), placeIn(directory, service), limit);

async function run(request: HelperRequest): Promise<unknown> {
  if (request.method === 'read') return keyring.read(request.account);
  const { account, record, expected } = request;
  return keyring.write(account, record, expected ?? undefined);
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

/** What was begun is finished, but a keyring that asks for its password is not waited for. */
const FINISH_MS = 1000;

function finish(): void {
  // Not `exit`, which waits for the keyring.
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), FINISH_MS).unref();
}

process.on('disconnect', finish);
if (!process.connected) finish();

// A terminal sends these to all its processes; ours decides itself when it ends.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
