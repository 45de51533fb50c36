// Enters the section of an account, says so, and stays until it is killed.
import { openFileStore } from '../../src/file-store.ts';

const [path, account = 'default'] = process.argv.slice(2);
await openFileStore(path!).runExclusive(
  account,
  () => {
    process.stdout.write('held\n');
    return new Promise(() => setInterval(() => undefined, 60_000));
  },
  new AbortController().signal,
);
