import { inspect } from 'node:util';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import {
  AccessTokenError,
  createMemoryStore,
  createStoreFrom,
  createTokenSource,
  type RefreshFunction,
  type TokenEvent,
  type TokenSource,
  type TokenStore,
} from '@unexpired/core';
import {
  createAuthorizationServer,
  createFakeClock,
  faults,
  type AuthorizationServer,
  type FakeClock,
} from '@unexpired/testing';
import axios from 'axios';
import {
  answer,
  API,
  authorize,
  createAgedScene,
  createScene,
  errorOf,
  EXPIRED_MS,
  headerFrom,
  lostAnswer,
  notSent,
  oauthError,
  refuse,
  settled,
  tokens,
  type Step,
} from './scene.ts';

const CANARY = /canary/;

/** Every token that the library ever holds here has the word in it. */
const canaries = (generation: number) => ({
  access_token: `canary-access-${generation}`,
  refresh_token: `canary-refresh-${generation}`,
  id_token: 'canary-id.canary.canary',
  device_secret: 'canary-device-secret',
  sessionToken: 'canary-session-token',
  token_type: 'Bearer',
  expires_in: 3600,
});

let clock: FakeClock;
let shown: unknown[];

beforeEach(() => {
  clock = createFakeClock();
  shown = [];
});

/** What any logger could make of a value. */
function textOf(value: unknown): string {
  const texts = [inspect(value, { depth: Number.POSITIVE_INFINITY }), inspect(value, { getters: true })];
  texts.push(String(value), JSON.stringify(value) ?? '');
  if (value instanceof Error)
    texts.push(value.stack ?? '', JSON.stringify(Object.getOwnPropertyDescriptors(value)));
  return texts.join('\n');
}

function expectNoSecret(...more: unknown[]): void {
  expect(shown.length).toBeGreaterThan(0);
  for (const value of [...shown, ...more]) expect(textOf(value)).not.toMatch(CANARY);
}

function open(refresh: RefreshFunction, store: TokenStore = createMemoryStore()): TokenSource {
  return createTokenSource({
    origins: [API],
    refresh,
    store,
    clock,
    random: () => 0,
    fallback: 'canary-static-key',
    onEvent: (event: TokenEvent) => void shown.push(event),
  });
}

/** Takes a source through one failed refresh, and keeps all that it shows. */
async function failOnce(step: Step): Promise<TokenSource> {
  const source = open((request) => step(request));
  await source.signIn(canaries(1));
  const sent = await authorize(source);
  const native = {};
  await settled(clock, refuse(source, sent, { native }));
  await clock.advance(3_600_000);
  shown.push(await settled(clock, errorOf(source.getAccessToken())), source.status(), sent, native, source);
  return source;
}

const echo: Step = ({ refreshToken, tokens }) =>
  new Response(
    JSON.stringify({
      error: `invalid_grant`,
      error_description: `Token ${refreshToken} of ${Object.values(tokens ?? {}).join(' and ')} is unknown`,
      refresh_token: refreshToken,
    }),
    { status: 400 },
  );

test.each([
  ['cannot be reached', notSent],
  ['loses its answer', lostAnswer],
  ['refuses', oauthError('invalid_grant')],
  ['echoes what it was given', echo],
  [
    'puts the refresh token into the code',
    ({ refreshToken }) => oauthError(`bad ${refreshToken}`)({} as never),
  ],
  [
    'answers the refresh token alone',
    ({ refreshToken }) => answer({ refresh_token: refreshToken })({} as never),
  ],
  ['answers with the refresh token as a name', ({ refreshToken }) => ({ [refreshToken!]: 1 })],
  ['answers a page', answer('<p>canary-refresh-1</p>', 502)],
  ['throws the request', (request) => Promise.reject(request as unknown as Error)],
  [
    'throws an error that holds tokens everywhere',
    (request) => {
      const error = new Error(`failed for ${request.refreshToken}`, { cause: { ...request } });
      throw Object.assign(error, {
        config: request,
        body: request.refreshToken,
        response: { config: request },
      });
    },
  ],
  [
    'throws an AccessTokenError with the token in it',
    ({ refreshToken }) => {
      throw new AccessTokenError('ERR_REFRESH_FAILED', `no luck with ${refreshToken}`, {
        cause: new Error(refreshToken),
      });
    },
  ],
] as [string, Step][])('no token shows when the token endpoint %s', async (_, step) => {
  await failOnce(step);

  expectNoSecret();
});

let server: AuthorizationServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

test.each([
  ['refuses', faults.oauthError('invalid_grant')],
  ['is down', { respond: { status: 503 } }],
  ['drops the connection', { reset: 'answer' } as const],
])('an AxiosError that holds the refresh token shows nowhere when the endpoint %s', async (_, fault) => {
  server = await createAuthorizationServer({ clock });
  const { tokenEndpoint } = server;
  server.always(fault);
  const thrown: unknown[] = [];
  await failOnce(async ({ refreshToken }) => {
    const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken! });
    try {
      return (await axios.post<Record<string, unknown>>(tokenEndpoint, body)).data;
    } catch (error) {
      thrown.push(error);
      throw error;
    }
  });

  // It does hold it: else this proves nothing.
  expect(inspect(thrown[0], { depth: Number.POSITIVE_INFINITY })).toMatch(CANARY);
  expectNoSecret();
});

test('no token shows in what a healthy source, its stores and its authorizations show', async () => {
  let generation = 1;
  const store = createMemoryStore();
  const source = open(() => canaries((generation += 1)), store);
  await source.signIn(canaries(1));
  for (let round = 0; round < 3; round += 1) {
    shown.push(await authorize(source), source.status());
    shown.push(await refuse(source, await authorize(source)));
    await clock.advance(3_600_000);
    await source.getAccessToken();
  }
  await source.signOut();
  shown.push(await authorize(source));

  expectNoSecret(source, store);
  expect(await headerFrom(source)).toBe('Bearer canary-static-key');
});

test('no token shows in what a failing store leads to', async () => {
  let saved: unknown;
  let broken = false;
  const store = createStoreFrom({
    load: () => saved,
    save(_account, record) {
      if (broken) throw Object.assign(new Error(`cannot write ${JSON.stringify(record)}`), { record });
      saved = record;
    },
  });
  const source = open(() => canaries(2), store);
  await source.signIn(canaries(1));
  broken = true;
  await clock.advance(3_600_000);
  shown.push(await errorOf(source.getAccessToken()), await errorOf(source.signIn(canaries(3))));
  shown.push(await errorOf(source.flush()), source.status());

  expectNoSecret(source, store);
});

test('no token shows in what a damaged record leads to', async () => {
  const source = open(
    () => canaries(2),
    createStoreFrom({
      load: () => ({ version: 1, revision: 'canary', epoch: 5, tokens: 'canary' }),
      save: () => undefined,
    }),
  );

  shown.push(await errorOf(source.getAccessToken()), source.status());

  expectNoSecret(source);
});

test.each([
  { tokens: 'canary-token' },
  { tokens: { accessToken: 'canary-token' } },
  { fallback: { header: 'bad name', value: 'canary-key' } },
  { fallback: 'canary\nkey' },
  { account: ['canary'] },
  { store: 'canary' },
])('a wrong option does not show its value: %j', (options) => {
  let error: unknown;
  try {
    createTokenSource({ origins: [API], refresh: () => canaries(1), ...(options as object) });
  } catch (thrown) {
    error = thrown;
  }

  expect(error).toBeInstanceOf(TypeError);
  expect(textOf(error)).not.toMatch(CANARY);
});

test('text of a server is shown without control and direction characters', async () => {
  const source = open(answer({ error: 'invalid_grant', error_description: 'a\u001b[31mb\u202Ec\nd' }, 400));
  await source.signIn({ refresh_token: 'canary-refresh-1' });

  const { message } = await errorOf(source.getAccessToken());

  expect(message).toContain('invalid_grant');
  expect(message).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});

test('a long text of a server is cut', async () => {
  const source = open(answer({ error: 'invalid_grant', error_description: 'x'.repeat(100_000) }, 400));
  await source.signIn({ refresh_token: 'canary-refresh-1' });

  const error = await errorOf(source.getAccessToken());

  expect(error.message.length).toBeLessThan(1000);
});

test.each(['refresh/1+2=3', 'refresh!1*~(2)$', 'refresh 1'])(
  'no refresh token %j shows where a server echoes it as it came in a form',
  async (refreshToken) => {
    const scene = await createAgedScene(EXPIRED_MS, { tokens: tokens(1, { refresh_token: refreshToken }) });
    const forms = [encodeURIComponent(refreshToken), `${new URLSearchParams({ t: refreshToken })}`.slice(2)];
    scene.refresh.next(answer({ error: 'oops', error_description: `bad: ${forms.join(' ')}` }, 400));

    const { message } = await errorOf(scene.source.getAccessToken());

    expect(message).toContain('bad: [redacted] [redacted]');
  },
);

test('a refresh token that is no text can be refused too', async () => {
  const scene = await createAgedScene(EXPIRED_MS, { tokens: tokens(1, { refresh_token: 'refresh\ud800' }) });
  scene.refresh.next(oauthError('invalid_grant'));

  const error = await errorOf(scene.source.getAccessToken());

  expect(error).toMatchObject({ code: 'ERR_REAUTHENTICATION_REQUIRED' });
});

test.each(['secret\nx: y', 'secret\u00e9', 'secret\u2028'])(
  'an access token %j, which no header can hold, is neither used nor shown',
  async (accessToken) => {
    const given = tokens(2, { access_token: accessToken });
    const scene = await createAgedScene(EXPIRED_MS);
    scene.refresh.next(() => given);

    const errors = [
      await errorOf(scene.source.getAccessToken()),
      await errorOf(scene.source.signIn(given)),
      await errorOf((async () => createScene({ tokens: given }))()),
    ];

    expect(errors[0]).toMatchObject({ code: 'ERR_REFRESH_FAILED' });
    for (const error of errors.slice(1)) expect(error).toBeInstanceOf(TypeError);
    for (const error of errors) expect(inspect(error, { depth: 9 })).not.toContain('secret');
  },
);
