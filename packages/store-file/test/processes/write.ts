// Writes as fast as it can, until it is killed, and says how far it is.
import { createFileStore } from '../../src/index.ts';

const [path, account = 'default'] = process.argv.slice(2);
const store = createFileStore({ path: path! });
// Long enough that a kill falls into a write.
const padding = 'x'.repeat(200_000);
for (;;) {
  const stored = await store.read(account);
  const revision = (stored?.revision ?? 0) + 1;
  const record = { version: 1, revision, epoch: 'e1', generation: 1, padding } as const;
  if (await store.write(account, record, stored?.revision)) process.stdout.write(`${revision}\n`);
}
