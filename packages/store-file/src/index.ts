export { createFileLock, type FileLock, type FileLockOptions, type LockedSection } from './file-lock.ts';
export { createFileStore, type FileStoreOptions } from './file-store.ts';
