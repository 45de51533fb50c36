import { describe, expect, test } from '@jest/globals';
import { createTokenSource, type TokenResponse, type TokenSourceOptions } from '../src/index.ts';

const right = {
  origins: ['https://api.example.com'],
  refresh: () => ({ access_token: 'a' }),
} satisfies TokenSourceOptions;

/** Wrong on purpose: the types would not let it through. */
function create(options: object): unknown {
  return createTokenSource({ ...right, ...options } as TokenSourceOptions);
}

const ms = 'a number of milliseconds from 0 to 2147483647';
const someMs = 'a number of milliseconds from 1 to 2147483647';
const kinds = 'transient, throttled, rejected, refused, revoked, disabled, misconfigured';
const key = 'a key as a string, or { header, value } that can be sent as a header';
const wireNames =
  '`tokens` must be a token response with access_token or refresh_token as strings (RFC 6749 names), got members: ';
const store = { read() {}, write() {}, runExclusive() {}, subscribe() {} };
const clock = { now() {}, monotonic() {}, setTimer() {} };
const storeWithoutSubscribe = { ...store, subscribe: undefined };

describe('a wrong option is told', () => {
  test.each([
    [
      { origins: undefined },
      '`origins` must be a list of at least one origin that may see the access token, got undefined',
    ],
    [
      { origins: 'https://a' },
      '`origins` must be a list of at least one origin that may see the access token, got a string',
    ],
    [
      { origins: ['http://api.lan'] },
      "`origins` must be https outside of loopback, got 'http://api.lan': write 'https://api.lan', or set `allowHttp: true`",
    ],
    [{ allowHttp: 'yes' }, '`allowHttp` must be true or false, got a string'],
    [{ refresh: undefined }, '`refresh` must be a function, got undefined'],
    [{ refresh: 'https://a/token' }, '`refresh` must be a function, got a string'],
    [{ store: {} }, '`store` must be a token store, got an object'],
    [{ store: null }, '`store` must be a token store, got null'],
    [{ store: storeWithoutSubscribe }, '`store` must be a token store, got an object'],
    [{ account: '' }, '`account` must be a string that is not empty, got an empty string'],
    [{ account: 5 }, '`account` must be a string that is not empty, got a number'],
    [{ tokens: 'secret' }, '`tokens` must be a token response, got a string'],
    [{ tokens: null }, '`tokens` must be a token response, got null'],
    [{ tokens: [] }, '`tokens` must be a token response, got an empty list'],
    [{ tokens: {} }, `${wireNames}none`],
    [
      { tokens: { access_token: 'a\r\nsecret: y' } },
      '`tokens` must have an access_token of visible ASCII characters (RFC 6749, appendix A.12)',
    ],
    [{ tokens: { accessToken: 'secret', expiresIn: 5 } }, `${wireNames}accessToken, expiresIn`],
    [{ tokens: { access_token: '', refresh_token: '' } }, `${wireNames}access_token, refresh_token`],
    [{ tokens: { access_token: 5, refresh_token: 'secret' } }, `${wireNames}access_token, refresh_token`],
    [{ tokens: { access_token: 'secret', refresh_token: 5 } }, `${wireNames}access_token, refresh_token`],
    [{ persistence: 'always' }, "`persistence` must be 'required' or 'best-effort', got a string"],
    [{ persistence: true }, "`persistence` must be 'required' or 'best-effort', got true"],
    [{ fallback: '' }, `\`fallback\` must be ${key}, got an empty string`],
    [{ fallback: 5 }, `\`fallback\` must be ${key}, got a number`],
    [{ fallback: 'secret\n' }, `\`fallback\` must be ${key}, got a string`],
    [{ fallback: 'secret \u20ac' }, `\`fallback\` must be ${key}, got a string`],
    [{ fallback: ['secret'] }, `\`fallback\` must be ${key}, got a list`],
    [{ fallback: { header: 'x-api-key' } }, `\`fallback\` must be ${key}, got an object`],
    [{ fallback: { value: 'secret' } }, `\`fallback\` must be ${key}, got an object`],
    [{ fallback: { header: '', value: 'secret' } }, `\`fallback\` must be ${key}, got an object`],
    [{ fallback: { header: 'x-api-key', value: '' } }, `\`fallback\` must be ${key}, got an object`],
    [{ fallback: { header: 'x api key', value: 'secret' } }, `\`fallback\` must be ${key}, got an object`],
    [{ fallback: { header: 'x-api-key:', value: 'secret' } }, `\`fallback\` must be ${key}, got an object`],
    [
      { fallback: { header: 'x-api-key', value: 'secret\r\nx: y' } },
      `\`fallback\` must be ${key}, got an object`,
    ],
    [{ fallback: { header: 'x-api-key', value: 5 } }, `\`fallback\` must be ${key}, got an object`],
    [
      { fallback: { header: 'x-api-key', value: 'secret', prefix: 'Key' } },
      `\`fallback\` must be ${key}, got an object`,
    ],
    [{ profile: 'google' }, '`profile` must be an object, got a string'],
    [
      { profile: { statuses: [] } },
      '`profile.statuses` is not an option; there are: refusedStatuses, reuse, codes',
    ],
    [
      { profile: { refusedStatuses: 401 } },
      '`profile.refusedStatuses` must be a list of statuses from 400 to 599, got 401',
    ],
    [
      { profile: { refusedStatuses: [200] } },
      '`profile.refusedStatuses` must be a list of statuses from 400 to 599, got a list',
    ],
    [
      { profile: { refusedStatuses: [399] } },
      '`profile.refusedStatuses` must be a list of statuses from 400 to 599, got a list',
    ],
    [
      { profile: { refusedStatuses: [600] } },
      '`profile.refusedStatuses` must be a list of statuses from 400 to 599, got a list',
    ],
    [
      { profile: { refusedStatuses: [401, '403'] } },
      '`profile.refusedStatuses` must be a list of statuses from 400 to 599, got a list',
    ],
    [
      { profile: { refusedStatuses: [400.5] } },
      '`profile.refusedStatuses` must be a list of statuses from 400 to 599, got a list',
    ],
    [
      { profile: { reuse: 'lax' } },
      "`profile.reuse` must be 'safe', 'unknown', 'strict' or { graceMs }, got a string",
    ],
    [
      { profile: { reuse: {} } },
      "`profile.reuse` must be 'safe', 'unknown', 'strict' or { graceMs }, got an object",
    ],
    [
      { profile: { reuse: { graceMs: -1 } } },
      "`profile.reuse` must be 'safe', 'unknown', 'strict' or { graceMs }, got an object",
    ],
    [
      { profile: { reuse: { graceMs: 5, strict: true } } },
      "`profile.reuse` must be 'safe', 'unknown', 'strict' or { graceMs }, got an object",
    ],
    [
      { profile: { reuse: 30_000 } },
      "`profile.reuse` must be 'safe', 'unknown', 'strict' or { graceMs }, got 30000",
    ],
    [
      { profile: { codes: ['gone'] } },
      `\`profile.codes\` must be an object whose values are of: ${kinds}, got a list`,
    ],
    [
      { profile: { codes: { gone: 'dead' } } },
      `\`profile.codes\` must be an object whose values are of: ${kinds}, got an object`,
    ],
    [
      { profile: { codes: { gone: 'refused', x: undefined } } },
      `\`profile.codes\` must be an object whose values are of: ${kinds}, got an object`,
    ],
    [
      { profile: { codes: 'refused' } },
      `\`profile.codes\` must be an object whose values are of: ${kinds}, got a string`,
    ],
    [{ timing: 5 }, '`timing` must be an object, got 5'],
    [
      { timing: { leeway: 5 } },
      '`timing.leeway` is not an option; there are: ttlThresholdMs, leewayMs, assumedLifetimeMs',
    ],
    [{ timing: { ttlThresholdMs: '5m' } }, `\`timing.ttlThresholdMs\` must be ${ms}, got a string`],
    [{ timing: { ttlThresholdMs: -1 } }, `\`timing.ttlThresholdMs\` must be ${ms}, got -1`],
    [{ timing: { leewayMs: Infinity } }, `\`timing.leewayMs\` must be ${ms}, got Infinity`],
    [
      { timing: { assumedLifetimeMs: 0 } },
      '`timing.assumedLifetimeMs` must be a number of milliseconds above 0, got 0',
    ],
    [
      { timing: { assumedLifetimeMs: Infinity } },
      '`timing.assumedLifetimeMs` must be a number of milliseconds above 0, got Infinity',
    ],
    [
      { timing: { assumedLifetimeMs: '1h' } },
      '`timing.assumedLifetimeMs` must be a number of milliseconds above 0, got a string',
    ],
    [{ limits: [] }, '`limits` must be an object, got an empty list'],
    [
      { limits: { timeout: 5 } },
      '`limits.timeout` is not an option; there are: exchangeMs, flightMs, lockMs, waitMs, replayBytes',
    ],
    [{ limits: { exchangeMs: 2 ** 31 } }, `\`limits.exchangeMs\` must be ${someMs}, got 2147483648`],
    [{ limits: { flightMs: null } }, `\`limits.flightMs\` must be ${someMs}, got null`],
    [{ limits: { exchangeMs: 0 } }, `\`limits.exchangeMs\` must be ${someMs}, got 0`],
    [{ limits: { waitMs: 0.5 } }, `\`limits.waitMs\` must be ${someMs}, got 0.5`],
    [{ limits: { lockMs: Number.NaN } }, `\`limits.lockMs\` must be ${ms}, got NaN`],
    [{ limits: { waitMs: -5 } }, `\`limits.waitMs\` must be ${someMs}, got -5`],
    [{ limits: { replayBytes: '1mb' } }, '`limits.replayBytes` must be a number of bytes, got a string'],
    [{ limits: { replayBytes: -1 } }, '`limits.replayBytes` must be a number of bytes, got -1'],
    [{ limits: { replayBytes: 0.5 } }, '`limits.replayBytes` must be a number of bytes, got 0.5'],
    [{ revoke: true }, '`revoke` must be a function, got true'],
    [{ onEvent: {} }, '`onEvent` must be a function, got an object'],
    [{ clock: Date }, '`clock` must be a clock with now(), monotonic() and setTimer(), got a function'],
    [
      { clock: { now() {} } },
      '`clock` must be a clock with now(), monotonic() and setTimer(), got an object',
    ],
    [{ random: 0.5 }, '`random` must be a function, got 0.5'],
    [
      { onRefresh() {} },
      '`onRefresh` is not an option; there are: origins, allowHttp, refresh, store, account, tokens, persistence, fallback, profile, timing, limits, revoke, onEvent, clock, random',
    ],
  ])('%j', (options, message) => {
    expect(() => create(options)).toThrow(new TypeError(message));
  });

  test.each([
    [undefined, '`options` must be an object, got undefined'],
    [null, '`options` must be an object, got null'],
    ['https://api.example.com', '`options` must be an object, got a string'],
  ])('when it is not an object at all: %p', (options, message) => {
    expect(() => createTokenSource(options as unknown as TokenSourceOptions)).toThrow(new TypeError(message));
  });

  test('without the secret that it holds', () => {
    const secret = 'canary-5f3a';
    const wrong = [
      { fallback: `${secret}\n` },
      { fallback: { header: 'x', value: `${secret}\n` } },
      { tokens: secret },
      { tokens: { accessToken: secret } },
      { store: { secret } },
      { refresh: secret },
      { profile: { codes: { gone: secret } } },
      { limits: { waitMs: secret } },
      { origins: [`https://me:${secret}@a b`] },
    ];

    for (const options of wrong) expect(() => create(options)).toThrow(/^(?!.*canary)/s);
  });
});

describe('a right option is taken', () => {
  test.each([
    { allowHttp: true, origins: ['http://api.lan'] },
    { store },
    { account: 'alice' },
    { tokens: { refresh_token: 'r' } },
    { tokens: { access_token: 'a' } },
    { tokens: { access_token: 'a', refresh_token: undefined, expires_in: '5', more: {} } },
    { persistence: 'required' },
    { persistence: 'best-effort' },
    { fallback: 'sk-live~1' },
    { fallback: { header: 'X-Api_Key', value: 'Key 1\t\u00ff' } },
    { profile: {} },
    { profile: { refusedStatuses: [] } },
    { profile: { refusedStatuses: [400, 401, 599] } },
    { profile: { reuse: 'safe' } },
    { profile: { reuse: 'unknown' } },
    { profile: { reuse: 'strict' } },
    { profile: { reuse: { graceMs: 0 } } },
    { profile: { codes: { gone: 'revoked', busy: 'transient' } } },
    { timing: { ttlThresholdMs: 0, leewayMs: 0, assumedLifetimeMs: 90 * 24 * 3_600_000 } },
    { limits: { exchangeMs: 1, flightMs: 1, lockMs: 2, waitMs: 2 ** 31 - 1, replayBytes: 0 } },
    { revoke: async () => undefined, onEvent: () => undefined, random: () => 0.5, clock },
  ])('%j', (options) => {
    expect(() => create(options)).not.toThrow();
  });

  const names = ['allowHttp', 'store', 'account', 'tokens', 'persistence', 'fallback', 'profile', 'timing'];
  const more = ['limits', 'revoke', 'onEvent', 'clock', 'random'];

  test('and undefined counts as absent, for every option', () => {
    const absent = Object.fromEntries([...names, ...more].map((name) => [name, undefined]));

    expect(() => create(absent)).not.toThrow();
    expect(() =>
      createTokenSource({
        ...right,
        profile: { refusedStatuses: undefined, reuse: undefined, codes: undefined },
        timing: { ttlThresholdMs: undefined, leewayMs: undefined, assumedLifetimeMs: undefined },
        limits: {
          exchangeMs: undefined,
          flightMs: undefined,
          lockMs: undefined,
          waitMs: undefined,
          replayBytes: undefined,
        },
      }),
    ).not.toThrow();
  });
});

test('signIn tells what a token response needs', async () => {
  const source = createTokenSource(right);

  await expect(source.signIn({ accessToken: 'secret' })).rejects.toThrow(
    new TypeError(
      '`tokenResponse` must be a token response with access_token or refresh_token as strings (RFC 6749 names), got members: accessToken',
    ),
  );
  await expect(source.signIn('secret' as unknown as TokenResponse)).rejects.toThrow(
    new TypeError('`tokenResponse` must be a token response, got a string'),
  );
  await source.close();
});
