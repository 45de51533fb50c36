import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** One script for the browser. */
export interface Bundle {
  readonly code: string;
  /** What was left outside. */
  readonly imports: readonly string[];
  /** What went into it, where the bundler took it from. */
  readonly modules: readonly string[];
}

// The bundler is native and refuses objects of the realm that tests run in.
const script = `
  import { build } from 'vite';
  const [built] = await build({
    configFile: false,
    logLevel: 'error',
    resolve: { conditions: ['@unexpired/source', 'browser', 'module', 'import', 'default'] },
    build: { write: false, minify: false, lib: { entry: process.argv[1], formats: ['es'] } },
  });
  const { code, imports, dynamicImports, moduleIds: modules } = built.output[0];
  process.stdout.write(JSON.stringify({ code, imports: [...imports, ...dynamicImports], modules }));
`;

/** Bundles an entry in TypeScript, with all that it imports. */
export async function bundle(entry: URL): Promise<Bundle> {
  const flags = ['--input-type=module', '--eval', script, fileURLToPath(entry)];
  const { stdout } = await run(process.execPath, flags, {
    cwd: new URL('../../', import.meta.url),
    maxBuffer: 2 ** 26,
  });
  return JSON.parse(stdout) as Bundle;
}
