import { expect, jest, test } from '@jest/globals';

jest.unstable_mockModule('node:sea', () => ({ isSea: () => true }));

test('in a single executable, creating a store is an error that says what to do', async () => {
  const { createKeyringStore } = await import('../src/index.ts');
  expect(() => createKeyringStore({ service: 'test' })).toThrow(
    /leave .* out of bundles and single executables/,
  );
});
