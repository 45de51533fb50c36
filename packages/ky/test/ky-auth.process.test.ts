import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const run = promisify(execFile);
const root = new URL('../../../', import.meta.url);

async function output(script: string): Promise<string> {
  const flags = ['--conditions=@unexpired/source', '--input-type=module', '--unhandled-rejections=strict'];
  const { stdout } = await run(process.execPath, [...flags, '--eval', script], { cwd: root });
  return stdout.trim();
}

test('importing the adapter leaves the dispatcher of the global fetch as it is', async () => {
  const script = `
    const symbols = () => Object.getOwnPropertySymbols(globalThis).filter((s) => String(s).includes('undici'));
    const before = symbols().map((symbol) => globalThis[symbol]);
    await import('@unexpired/ky');
    const after = symbols().map((symbol) => globalThis[symbol]);
    console.log(before.length === after.length && before.every((value, i) => value === after[i]));
  `;

  expect(await output(script)).toBe('true');
});

test('a refresh that fails after all of its callers left is no unhandled rejection', async () => {
  const script = `
    import { AccessTokenError, createTokenSource } from '@unexpired/core';
    import { kyAuth } from '@unexpired/ky';
    import ky from 'ky';
    let fail;
    const tokens = createTokenSource({
      origins: ['https://api.example.com'],
      refresh: () => new Promise((_, reject) => { fail = reject; }),
      tokens: { refresh_token: 'r1' },
    });
    const controller = new AbortController();
    const fetch = () => Promise.reject(new Error('not reached'));
    const client = ky.create({ fetch }).extend(kyAuth(tokens));
    const { signal } = controller;
    const callers = Promise.allSettled([1, 2, 3].map(() => client('https://api.example.com', { signal })));
    while (fail === undefined) await new Promise((resolve) => setImmediate(resolve));
    controller.abort(new Error('left'));
    console.log((await callers).map(({ reason }) => reason.message).join());
    fail(new AccessTokenError('ERR_REAUTHENTICATION_REQUIRED', 'late'));
    await new Promise((resolve) => setImmediate(resolve));
    console.log(tokens.status().health);
  `;

  expect(await output(script)).toBe('left,left,left\nsigned-out');
});
