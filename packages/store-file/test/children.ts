import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterwards } from './place.ts';

export interface Child {
  readonly process: ChildProcess;
  /** The next line that it prints; undefined once it has ended. */
  readonly line: () => Promise<string | undefined>;
  /** Resolves with the exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
  readonly kill: () => Promise<unknown>;
}

/** Runs a command; killed after the test. */
export function startCommand(command: string, args: readonly string[], options: SpawnOptions = {}): Child {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], ...options });
  const ended = once(child, 'exit').then(([code, signal]) => (code ?? signal) as number | string);
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const kill = (): Promise<unknown> => {
    child.kill('SIGKILL');
    return ended;
  };
  afterwards(kill);
  return {
    process: child,
    ended,
    kill,
    line: async () => (await lines.next()).value as string | undefined,
  };
}

export const FLAGS: readonly string[] = ['--conditions=@unexpired/source', '--no-warnings'];

export function scriptAt(name: string): string {
  return fileURLToPath(new URL(`processes/${name}.ts`, import.meta.url));
}

/** Runs a program of `processes/`; killed after the test. */
export function start(name: string, ...args: readonly string[]): Child {
  return startCommand(process.execPath, [...FLAGS, scriptAt(name), ...args]);
}
