import { expect, test } from '@jest/globals';
import { AccessTokenError } from '@unexpired/core';
import { createPlace, type Place } from './place.ts';
import {
  answer,
  COOL_DOWN_MS,
  createAgedScene,
  createScene,
  DUE_MS,
  errorOf,
  EXPIRED_MS,
  notSent,
  oauthError,
  settled,
  tokens,
  type Scene,
  type Step,
} from './scene.ts';

/** An expired token whose refresh is refused. */
async function createRefusedScene(step: Step, more: Parameters<typeof createScene>[0] = {}): Promise<Scene> {
  const scene = await createAgedScene(EXPIRED_MS, more);
  scene.refresh.always(step);
  await errorOf(scene.source.getAccessToken());
  return scene;
}

/** What another process does that signs in. */
function storeOther(place: Place, issuedAt: number): void {
  const record = place.record!;
  place.records.set('default', {
    ...record,
    revision: record.revision + 1,
    epoch: 'another',
    generation: 1,
    tokens: { access_token: 'access-9', refresh_token: 'refresh-9' },
    issuedAt,
  });
}

test('invalid_grant asks for a sign-in at once, is tried once more after 5 minutes, and then never', async () => {
  const scene = await createRefusedScene(oauthError('invalid_grant'));
  expect(scene.source.status()).toMatchObject({ health: 'signed-out', accessToken: 'expired' });
  expect(scene.source.status().retryAt).toBe(scene.clock.now() + COOL_DOWN_MS);

  await scene.clock.advance(COOL_DOWN_MS - 1);
  const cooling = await errorOf(scene.source.getAccessToken());
  expect(cooling).toMatchObject({ code: 'ERR_REAUTHENTICATION_REQUIRED', retryAfterMs: 1, permanent: false });
  expect(scene.refresh.calls).toHaveLength(1);

  await scene.clock.advance(1);
  await errorOf(scene.source.getAccessToken());
  expect(scene.refresh.calls).toHaveLength(2);

  await scene.clock.advance(30 * 24 * 3_600_000);
  const dead = await errorOf(scene.source.getAccessToken());
  expect(dead).toMatchObject({ code: 'ERR_REAUTHENTICATION_REQUIRED', permanent: true });
  expect(dead['retryAfterMs']).toBeUndefined();
  expect(scene.refresh.calls).toHaveLength(2);
  expect(scene.source.status().retryAt).toBeUndefined();
});

test('a probe after the cool-down that succeeds ends it', async () => {
  const scene = await createRefusedScene(oauthError('invalid_grant'));
  scene.refresh.always(undefined);
  await scene.clock.advance(COOL_DOWN_MS);

  expect(await scene.source.getAccessToken()).toBe('access-2');
  expect(scene.source.status().health).toBe('ok');
});

test('a success between two refusals of one refresh token starts its cool-down anew', async () => {
  const scene = await createRefusedScene(oauthError('invalid_grant'));
  // A server that does not rotate.
  scene.refresh.next(() => tokens(2, { refresh_token: undefined }));
  await scene.clock.advance(COOL_DOWN_MS);
  expect(await scene.source.getAccessToken()).toBe('access-2');
  expect(scene.source.status()).toMatchObject({ health: 'ok', retryAt: undefined, lastError: undefined });
  await scene.clock.advance(EXPIRED_MS);

  await errorOf(scene.source.getAccessToken());

  expect(scene.source.status().retryAt).toBe(scene.clock.now() + COOL_DOWN_MS);
});

test.each([
  ['refresh_token_expired', 'ERR_REAUTHENTICATION_REQUIRED', 'signed-out'],
  ['token_expired', 'ERR_REAUTHENTICATION_REQUIRED', 'signed-out'],
  ['account_deactivated', 'ERR_ACCOUNT_DISABLED', 'disabled'],
] as const)(
  '%s is final: no further exchange, and the error is permanent',
  async (code, expected, health) => {
    const scene = await createRefusedScene(oauthError(code, 401));

    await scene.clock.advance(365 * 24 * 3_600_000);
    const error = await errorOf(scene.source.getAccessToken());

    expect(error).toMatchObject({ code: expected, permanent: true });
    expect(scene.source.status().health).toBe(health);
    expect(scene.refresh.calls).toHaveLength(1);
  },
);

test.each([
  ['invalid_client', oauthError('invalid_client', 401), 'ERR_MISCONFIGURED', 'misconfigured'],
  ['an empty 401', answer('', 401), 'ERR_REFRESH_REJECTED', 'rejected'],
  ['a 400 with JSON of its own', answer({ message: 'no' }, 400), 'ERR_REFRESH_REJECTED', 'rejected'],
  ['invalid_request', oauthError('invalid_request'), 'ERR_REFRESH_REJECTED', 'rejected'],
] as const)(
  '%s cools down for 5 minutes, again and again, and is never final',
  async (_, step, code, health) => {
    const scene = await createRefusedScene(step);

    for (let probe = 2; probe <= 5; probe += 1) {
      expect(scene.source.status().health).toBe(health);
      await scene.clock.advance(COOL_DOWN_MS - 1);
      expect(await errorOf(scene.source.getAccessToken())).toMatchObject({ code, permanent: false });
      expect(scene.refresh.calls).toHaveLength(probe - 1);
      await scene.clock.advance(1);
      await errorOf(scene.source.getAccessToken());
      expect(scene.refresh.calls).toHaveLength(probe);
    }
  },
);

test.each([oauthError('invalid_grant'), oauthError('account_deleted'), answer('', 401)])(
  'a refusal leaves the stored tokens as they are',
  async (step) => {
    const place = createPlace();
    const scene = await createAgedScene(EXPIRED_MS, { store: place.open() });
    const before = structuredClone(place.record);
    scene.refresh.always(step);

    const failing = errorOf(scene.source.getAccessToken());
    await scene.clock.advance(1000);
    await failing;

    const { revision: _, ...stored } = place.record!;
    expect({ ...stored, revision: before?.revision }).toEqual(before);
  },
);

test('a refused refresh does not shorten the life of an access token that is still good', async () => {
  const scene = await createAgedScene(DUE_MS);
  scene.refresh.always(oauthError('account_suspended'));
  await scene.source.getAccessToken();
  await settled(scene.clock, scene.source.flush());

  expect(scene.source.status()).toMatchObject({ health: 'disabled', accessToken: 'due' });
  expect(await scene.source.getAccessToken()).toBe('access-1');
  expect(scene.source.authorize({ url: 'https://api.example.com', method: 'GET' })).not.toBeInstanceOf(
    Promise,
  );
});

test.each([
  ['invalid_grant', oauthError('invalid_grant')],
  ['a closed account', oauthError('account_deleted')],
  ['a wrong client', oauthError('invalid_client')],
  ['a plain refusal', answer('', 401)],
])('after %s another stored refresh token is found by the next call', async (_, step) => {
  const place = createPlace();
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open() });
  scene.refresh.always(step);
  const failing = errorOf(scene.source.getAccessToken());
  await scene.clock.advance(1000);
  await failing;

  storeOther(place, scene.clock.now());
  await scene.clock.advance(1000);

  expect(await scene.source.getAccessToken()).toBe('access-9');
  expect(scene.source.status().health).toBe('ok');
});

test('after a refusal a sign-in is used at once', async () => {
  const scene = await createRefusedScene(oauthError('refresh_token_reused'));

  await scene.source.signIn(tokens(4));

  expect(await scene.source.getAccessToken()).toBe('access-4');
  expect(scene.source.status()).toMatchObject({ health: 'ok', lastError: undefined });
});

test('while a gate is closed the store is read at most once a second, by one read for all', async () => {
  const place = createPlace();
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open() });
  scene.refresh.always(oauthError('account_deleted'));
  const failing = errorOf(scene.source.getAccessToken());
  await scene.clock.advance(1000);
  await failing;
  await scene.clock.advance(1000);
  place.reads = 0;

  for (let burst = 0; burst < 5; burst += 1) {
    await Promise.all(Array.from({ length: 100 }, () => errorOf(scene.source.getAccessToken())));
    await scene.clock.advance(100);
  }
  expect(place.reads).toBe(1);
  await scene.clock.advance(1000);
  await errorOf(scene.source.getAccessToken());
  expect(place.reads).toBe(2);
});

test('while a gate is closed a store that cannot be read changes nothing for the caller', async () => {
  const place = createPlace();
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open() });
  scene.refresh.always(oauthError('account_deleted'));
  const failing = errorOf(scene.source.getAccessToken());
  await scene.clock.advance(1000);
  await failing;
  await scene.clock.advance(1000);
  place.before = () => {
    throw new Error('busy');
  };

  expect(await errorOf(scene.source.getAccessToken())).toMatchObject({ code: 'ERR_ACCOUNT_DISABLED' });
});

test('an AccessTokenError of the refresh function is obeyed', async () => {
  const scene = await createRefusedScene(() => {
    throw new AccessTokenError('ERR_ACCOUNT_DISABLED', 'The plan ended.');
  });

  await scene.clock.advance(24 * 3_600_000);
  const error = await errorOf(scene.source.getAccessToken());

  expect(error).toMatchObject({ code: 'ERR_ACCOUNT_DISABLED', permanent: true });
  expect(error.message).toContain('The plan ended.');
  expect(scene.refresh.calls).toHaveLength(1);
});

test('codes of a profile come before the standard table', async () => {
  const scene = await createRefusedScene(oauthError('invalid_grant'), {
    profile: { codes: { invalid_grant: 'disabled' } },
  });

  expect(scene.source.status().health).toBe('disabled');
});

test('a token response about another subject is not used, and nothing is stored', async () => {
  const place = createPlace();
  const idToken = (sub: string): string => `e30.${btoa(JSON.stringify({ sub }))}.`;
  const scene = await createAgedScene(EXPIRED_MS, {
    store: place.open(),
    tokens: tokens(1, { id_token: idToken('alice') }),
  });
  scene.refresh.always(() => tokens(2, { id_token: idToken('mallory') }));

  const error = await settled(scene.clock, errorOf(scene.source.getAccessToken()));

  expect(error['code']).toBe('ERR_ACCOUNT_MISMATCH');
  expect(place.record).toMatchObject({
    generation: 1,
    subject: 'alice',
    tokens: { access_token: 'access-1' },
  });
});

test('a refusal asks for no sign-in where a peer signed in meanwhile', async () => {
  const place = createPlace();
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open() });
  scene.refresh.next((request) => {
    storeOther(place, scene.clock.now());
    return oauthError('invalid_grant')(request);
  });

  const taking = scene.source.getAccessToken();
  await scene.clock.advance(1000);

  expect(await taking).toBe('access-9');
  expect(scene.events.map(({ type }) => type)).not.toContain('reauthentication-required');
});

test('where no refresh token was presented no peer is waited for', async () => {
  const scene = createScene({ store: createPlace().open(), tokens: undefined });
  scene.refresh.always(oauthError('invalid_grant'));
  const error = errorOf(scene.source.getAccessToken());
  await scene.clock.advance(0);

  expect(scene.source.status().refreshing).toBe(false);
  expect(await settled(scene.clock, error)).toMatchObject({ code: 'ERR_REAUTHENTICATION_REQUIRED' });
});

test('a peer that stores its tokens 300 ms after the refusal is waited for no longer than that', async () => {
  const place = createPlace();
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open() });
  scene.refresh.next(oauthError('invalid_grant'));
  const peer = place.open();
  const taking = scene.source.getAccessToken();
  await scene.clock.advance(300);
  const record = place.record!;
  const theirs = { ...record, revision: record.revision + 1, generation: 2, claim: undefined };

  await peer.write('default', { ...theirs, tokens: tokens(9), issuedAt: scene.clock.now() }, record.revision);
  await scene.clock.advance(0);

  expect(await taking).toBe('access-9');
  expect(place.followers).toBe(1);
});

test('after a refusal nobody follows the store any more but the source itself', async () => {
  const place = createPlace();
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open() });
  scene.refresh.next(oauthError('invalid_grant'));

  const failing = errorOf(scene.source.getAccessToken());
  await scene.clock.advance(1000);
  await failing;

  expect(place.followers).toBe(1);
  await scene.source.close();
  expect(place.followers).toBe(0);
});

test('a second refusal is for good, also where the endpoint was down in between', async () => {
  const scene = await createAgedScene(EXPIRED_MS);
  const { source, refresh, clock } = scene;
  refresh.next(oauthError('invalid_grant'), notSent, notSent, notSent);
  await errorOf(source.getAccessToken());
  await clock.advance(COOL_DOWN_MS);
  const outage = await settled(clock, errorOf(source.getAccessToken()));
  expect(outage).toMatchObject({ code: 'ERR_REFRESH_FAILED' });

  refresh.always(oauthError('invalid_grant'));
  await clock.advance(1);
  await settled(clock, errorOf(source.getAccessToken()));
  await clock.advance(24 * 3_600_000);

  expect(await errorOf(source.getAccessToken())).toMatchObject({ code: 'ERR_REAUTHENTICATION_REQUIRED' });
  expect(refresh.calls).toHaveLength(5);
});

test('a refused refresh token is told as such, also by a store whose hints cannot be ended', async () => {
  const place = createPlace();
  const subscribe = async (): Promise<void> => undefined;
  const store = Object.assign(place.open(), { subscribe: subscribe as never });
  const scene = await createAgedScene(EXPIRED_MS, { store });
  scene.refresh.always(oauthError('invalid_grant'));
  const waiting = errorOf(scene.source.getAccessToken());
  await scene.clock.advance(1000);

  expect(await waiting).toMatchObject({ code: 'ERR_REAUTHENTICATION_REQUIRED' });
});
