import { describe, test } from '@jest/globals';
import { createMemoryStore, createStoreFrom } from '@unexpired/core';
import { runStoreSuite } from '@unexpired/testing';
import { createPlace } from './place.ts';

describe('createMemoryStore', () => {
  runStoreSuite({ test, createPlace: () => ({ open: createMemoryStore }) });
});

describe('createStoreFrom', () => {
  runStoreSuite({
    test,
    createPlace() {
      const texts = new Map<string, string>();
      const open = () =>
        createStoreFrom({
          async load(account) {
            const text = texts.get(account);
            return text === undefined ? null : (JSON.parse(text) as unknown);
          },
          async save(account, record) {
            const text = JSON.stringify(record);
            await new Promise(setImmediate);
            texts.set(account, text);
          },
        });
      return { open };
    },
  });
});

// The store that other tests here take for a place shared by processes.
describe('a shared place', () => {
  runStoreSuite({ test, shared: true, createPlace });
});
