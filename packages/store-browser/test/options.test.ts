import { describe, expect, test } from '@jest/globals';
import { createTokenSource } from '@unexpired/core';
import { createBrowserStore, type BrowserStoreOptions } from '@unexpired/store-browser';

describe('options', () => {
  const expected = '`name` must be a string that is not empty, got';

  test.each<[string, unknown]>([
    ['`options` must be an object, got undefined', undefined],
    [`${expected} undefined`, {}],
    [`${expected} an empty string`, { name: '' }],
    [`${expected} a number`, { name: 7 }],
    ['`steal` is not an option; there are: name', { name: 'app', steal: true }],
  ])('that are wrong are refused: %s', (message, options) => {
    expect(() => createBrowserStore(options as BrowserStoreOptions)).toThrow(new TypeError(message));
  });
});

describe('outside a browser', () => {
  test('a store may be created, and each use of it says what is missing', async () => {
    const store = createBrowserStore({ name: 'app' });
    const source = createTokenSource({
      origins: ['https://api.example.com'],
      refresh: () => Promise.reject(new Error('of nobody')),
      tokens: { access_token: 'a', expires_in: 3600 },
      store,
    });
    const failure = { code: 'ERR_STORE_FAILED', message: /^The browser store needs IndexedDB/ };
    const signal = new AbortController().signal;
    await expect(source.getAccessToken()).rejects.toMatchObject({ code: failure.code });
    await expect(store.read('a')).rejects.toThrow(failure.message);
    await expect(store.runExclusive('a', () => Promise.resolve(), signal)).rejects.toThrow(failure.message);
    expect(() => store.subscribe('a', () => undefined)).toThrow(failure.message);
    await source.close();
  });
});
