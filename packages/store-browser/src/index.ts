export { createBrowserStore, type BrowserStoreOptions } from './browser-store.ts';
