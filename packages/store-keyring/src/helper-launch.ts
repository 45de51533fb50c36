import { fork, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { extname } from 'node:path';
import { isSea } from 'node:sea';
import type { HelperOrder } from './helper-protocol.ts';
import { keyringError } from './keyring.ts';

const MARK = 'UNEXPIRED_KEYRING_HELPER';

/**
 * The helper's program.
 *
 * @throws AccessTokenError in a program that was bundled or packaged: without it, or without a Node to run it
 */
export function findHelper(): URL {
  // A packaged program is its own Node: it would start itself as the helper, over and over.
  if (process.env[MARK] !== undefined)
    throw keyringError(
      'this program was started again in place of its helper process, as a packaged one is.',
    );
  // Bundlers may leave it undefined.
  const here = import.meta.url as string | undefined;
  const program = here === undefined ? here : new URL(`./helper-process${extname(here)}`, here);
  if (program !== undefined && existsSync(program) && !isSea()) return program;
  throw keyringError(
    'it is called in a process of its own, whose program is not there: ' +
      'leave @unexpired/store-keyring out of bundles and single executables.',
  );
}

/** A debugger of this process is none of the helper's: it would take the same port, or wait for somebody. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: options = '', ...rest } = process.env;
  const kept = options.replaceAll(/(?<!\S)"?--inspect\S*(?:\s+(?!"?-)\S+)?/g, '');
  return { ...rest, NODE_OPTIONS: kept, [MARK]: '1' };
}

export function launchHelper(program: URL, order: HelperOrder): ChildProcess {
  const isSource = program.href.endsWith('.ts');
  return fork(program, [JSON.stringify(order)], {
    // Sources import sources.
    execArgv: ['--expose-gc', ...(isSource ? ['--conditions=@unexpired/source', '--no-warnings'] : [])],
    env: environment(),
    // Its standard input ends when this process does.
    stdio: ['pipe', 'ignore', 'ignore', 'ipc'],
  });
}
