import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Ended {
  /** The exit code; null where a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  /** Resolves once stderr matches; rejects where the process ends before. */
  readonly said: (pattern: RegExp) => Promise<RegExpExecArray>;
  readonly ended: Promise<Ended>;
}

/** A TypeScript file in a process of its own, over the packages' sources. */
export function start(
  file: URL,
  args: readonly string[],
  options: { readonly env: NodeJS.ProcessEnv; readonly preload?: URL },
): Running {
  const preload = options.preload === undefined ? [] : ['--import', options.preload.href];
  const child = spawn(
    process.execPath,
    ['--conditions=@unexpired/source', ...preload, file.pathname, ...args],
    {
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
  return {
    child,
    ended,
    said: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(stderr);
          if (match) resolve(match);
        };
        child.stderr.on('data', look);
        child.once('close', () => reject(new Error(`It ended and did not say ${pattern}: ${stderr}`)));
        look();
      }),
  };
}

/** A folder for this run alone. */
export async function makeFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'unexpired-example-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}
