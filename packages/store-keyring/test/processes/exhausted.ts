// Calls the keyring once all file descriptors are in use, says what came of it, and ends by itself.
import { openSync, writeSync } from 'node:fs';
import { createHelper } from '../../src/helper.ts';

const helper = createHelper({ service: 'test', directory: '/nonexistent' });
try {
  for (;;) openSync('/dev/null', 'r');
} catch {
  // None is left.
}
const calls = Array.from({ length: 2 }, () => helper.call({ method: 'read', account: 'ann' }));
for (const { status, reason } of (await Promise.allSettled(calls)) as PromiseRejectedResult[])
  writeSync(1, `${status} ${reason?.code} ${reason?.message}\n`);
