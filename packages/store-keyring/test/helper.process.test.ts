import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { createHelper } from '../src/helper.ts';

const run = promisify(execFile);
const FLAGS = ['--conditions=@unexpired/source', '--no-warnings'];

test('where no process can be started, calls are errors and nothing else happens', async () => {
  const script = fileURLToPath(new URL('processes/exhausted.ts', import.meta.url));
  const limited = ['-c', 'ulimit -n 200; exec "$@"', 'sh'];
  const { stdout } = await run('sh', [...limited, process.execPath, ...FLAGS, script]);
  expect(stdout.trim().split('\n')).toEqual(
    Array.from({ length: 2 }, () =>
      expect.stringMatching(/^rejected ERR_STORE_FAILED .*could not be started; try again/),
    ),
  );
});

test('a call that cannot be sent is an error', async () => {
  const helper = createHelper({ service: 'test', directory: '/nonexistent' });
  const call = { method: 'read', account: 1n as unknown as string } as const;
  await expect(helper.call(call)).rejects.toMatchObject({
    code: 'ERR_STORE_FAILED',
    message: expect.stringMatching(/could not be asked/),
  });
});

test('a program that is started in place of the helper gets an error, not a helper of its own', () => {
  process.env['UNEXPIRED_KEYRING_HELPER'] = '1';
  try {
    expect(() => createHelper({ service: 'test', directory: '/nonexistent' })).toThrow(
      /started again in place of its helper/,
    );
  } finally {
    delete process.env['UNEXPIRED_KEYRING_HELPER'];
  }
});

test.each([
  ['alone', '--import=data:text/javascript,process.exit(7)'],
  ['after those of a debugger', '--inspect=0 "--import=data:text/javascript, process.exit(7)"'],
])('a call whose helper is ended by an option, %s, tells how it ended', async (_, options) => {
  const { NODE_OPTIONS: before } = process.env;
  process.env['NODE_OPTIONS'] = options;
  try {
    const helper = createHelper({ service: 'test', directory: '/nonexistent' });
    await expect(helper.call({ method: 'read', account: 'ann' })).rejects.toMatchObject({
      code: 'ERR_STORE_FAILED',
      message: expect.stringContaining('ended (exit code 7); try again.'),
    });
  } finally {
    if (before === undefined) delete process.env['NODE_OPTIONS'];
    else process.env['NODE_OPTIONS'] = before;
  }
});
