// A worker thread that enters the section of an account, says so, and stays until it is told to leave.
import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { createFileStore } from '../../src/index.ts';

const store = createFileStore({ path: workerData as string });
await store.runExclusive(
  'default',
  async () => {
    parentPort!.postMessage('held');
    await once(parentPort!, 'message');
  },
  new AbortController().signal,
);
parentPort!.close();
