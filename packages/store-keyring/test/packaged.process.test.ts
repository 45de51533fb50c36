import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const run = promisify(execFile);

/** Bundles a program that makes a store, in a process of its own: the bundler is none of Jest's realm. */
const BUNDLE = `
  import { rolldown } from 'rolldown';
  const [input, file, format] = process.argv.slice(1);
  const bundle = await rolldown({
    input,
    platform: 'node',
    external: ['fs-native-extensions', '@napi-rs/keyring'],
    resolve: { conditionNames: ['@unexpired/source', 'node', 'import', 'default'] },
    logLevel: 'silent',
  });
  await bundle.write({ file, format });
  await bundle.close();
`;

test.each([
  ['esm', 'mjs'],
  ['cjs', 'cjs'],
])(
  'in a bundle, in the format %s, creating a store is an error that says what to do',
  async (format, end) => {
    const directory = await mkdtemp(join(tmpdir(), 'unexpired-bundle-'));
    try {
      const program = fileURLToPath(new URL('processes/create.ts', import.meta.url));
      const file = join(directory, `bundle.${end}`);
      await run(process.execPath, ['--input-type=module', '--eval', BUNDLE, program, file, format]);
      const { stdout } = await run(process.execPath, [file]);
      expect(stdout).toMatch(/^ERR_STORE_FAILED .* leave @unexpired\/store-keyring out of bundles/);
    } finally {
      await rm(directory, { recursive: true });
    }
  },
);
