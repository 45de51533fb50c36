import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = new URL('../', import.meta.url);

/** What a module prints that runs in a process of its own, where a rejection that nobody handles is an error. */
export async function outputOf(script: string): Promise<string> {
  const flags = ['--conditions=@unexpired/source', '--input-type=module', '--unhandled-rejections=strict'];
  const { stdout } = await run(process.execPath, [...flags, '--eval', script], { cwd: root });
  return stdout.trim();
}
