// Enters the section and stays, until somebody kills the process.
import { createFolderStore } from './folder-store.ts';

const store = createFolderStore(process.argv[2]!);
await store.runExclusive(
  'default',
  () => {
    process.send!('inside');
    return new Promise<never>(() => undefined);
  },
  new AbortController().signal,
);
