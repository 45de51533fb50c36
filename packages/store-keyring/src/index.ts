export { createKeyringStore, type KeyringStoreOptions } from './keyring-store.ts';
