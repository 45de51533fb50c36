import { expect, test } from '@jest/globals';
import { outputOf } from '../../../test/run-script.ts';

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

  expect(await outputOf(script)).toBe('left,left,left\nsigned-out');
});
