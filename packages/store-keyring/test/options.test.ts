import { expect, test } from '@jest/globals';
import { createKeyringStore, type KeyringStoreOptions } from '../src/index.ts';
import { nameOf } from '../src/names.ts';
import { placeIn } from '../src/place.ts';

test.each<[unknown, string]>([
  [undefined, '`options` must be an object, got undefined'],
  [{}, '`service` must be a string that is not empty and has no null character, got undefined'],
  [
    { service: '' },
    '`service` must be a string that is not empty and has no null character, got an empty string',
  ],
  [
    { service: 'a\0b' },
    '`service` must be a string that is not empty and has no null character, got a string',
  ],
  [{ service: 'a', path: 'b' }, '`path` is not an option; there are: service'],
])('%j is refused', (options, message) => {
  expect(() => createKeyringStore(options as KeyringStoreOptions)).toThrow(new TypeError(message));
});

test('the same service gives the same store', () => {
  expect(createKeyringStore({ service: 'a' })).toBe(createKeyringStore({ service: 'a' }));
  expect(createKeyringStore({ service: 'a' })).not.toBe(createKeyringStore({ service: 'b' }));
});

test('each text has a name of its own, of few characters', () => {
  const texts = ['ann', 'Ann', 'ann ', 'ann-', '', '../x', 'ü'.repeat(9000), '\uD800', '\uDBFF', '\0'];
  const names = texts.map(nameOf);
  expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(texts.length);
  for (const name of names) expect(name).toMatch(/^[a-z0-9@._-]{0,40}-[0-9a-f]{32}$/);
  expect(placeIn('/home', '../x').sectionLock).toMatch(/^\/home\/keyring-\.\.-x-[0-9a-f]{32}\.lock$/);
});
