// Reads the record of an account, says what came of it, and exits at once.
import { openKeyringStore } from '../../src/keyring-store.ts';

const [directory = '', service = '', callMs = ''] = process.argv.slice(2);
const times = { callMs: Number(callMs), promptMs: 60_000, idleMs: 60_000 };
try {
  const record = await openKeyringStore({ directory, service }, times).read('default');
  process.stdout.write(`${record?.revision}\n`);
} catch (error) {
  process.stdout.write(`${(error as Error).message}\n`);
}
process.exit(3);
