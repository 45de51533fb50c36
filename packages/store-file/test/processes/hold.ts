// Enters the section of an account, starts a program that outlives it, says so, and stays until it is killed.
import { spawn } from 'node:child_process';
import { openFileStore } from '../../src/file-store.ts';

const [path, account = 'default'] = process.argv.slice(2);
await openFileStore(path!).runExclusive(
  account,
  () => {
    const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 120_000)'], { stdio: 'ignore' });
    process.stdout.write(`held ${child.pid}\n`);
    return new Promise(() => setInterval(() => undefined, 60_000));
  },
  new AbortController().signal,
);
