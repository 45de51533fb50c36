// Calls a keyring that is silent, says that it is, and stays.
import { openKeyringStore } from '../../src/keyring-store.ts';

const [directory = ''] = process.argv.slice(2);
const times = { callMs: 3000, promptMs: 600_000, idleMs: 600_000 };
try {
  await openKeyringStore({ directory, service: 'test' }, times).read('default');
} catch {
  process.stdout.write('silent\n');
}
setInterval(() => undefined, 60_000);
