import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from '@jest/globals';

const run = promisify(execFile);

const programs = [
  'background hanging',
  'background retrying',
  'background throttled',
  'waiting',
  'closing flush',
  'closing close',
  'closing signOut',
  'rejections',
] as const;

/** What each program printed that ended by itself, and why the others did not. */
const outcomes = new Map<string, string>();

async function start(program: string): Promise<string> {
  const [name, ...args] = program.split(' ');
  const script = fileURLToPath(new URL(`processes/${name}.ts`, import.meta.url));
  try {
    const { stdout } = await run(process.execPath, ['--conditions=@unexpired/source', script, ...args], {
      timeout: 15_000,
    });
    return stdout.trim();
  } catch (error) {
    return String(error);
  }
}

// All at once: they spend their time waiting.
beforeAll(async () => {
  await Promise.all(programs.map(async (program) => outcomes.set(program, await start(program))));
});

test.each(['hanging', 'retrying', 'throttled'])(
  'a process ends by itself while the background refresh of a due token is %s',
  (kind) => {
    expect(JSON.parse(outcomes.get(`background ${kind}`)!)).toMatchObject({
      accessToken: 'due',
      refreshing: kind !== 'throttled',
    });
  },
);

test('a process stays alive while a caller waits in a back-off', () => {
  expect(outcomes.get('waiting')).toBe('a');
});

test.each([
  ['flush', 'ended 2'],
  ['close', 'ended 2'],
  // What was signed out is not presented again.
  ['signOut', 'ended 1'],
])('a process stays alive until %s has seen the running refresh end', (call, output) => {
  expect(outcomes.get(`closing ${call}`)).toBe(output);
});

test('nothing that fails behind everybody’s back is an unhandled rejection', () => {
  expect(outcomes.get('rejections')).toBe('ended');
});
