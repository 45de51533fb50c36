import { beforeEach, expect, test } from '@jest/globals';
import { createPlace, type Place } from './place.ts';
import {
  authorize,
  createAgedScene,
  createScene,
  errorOf,
  EXPIRED_MS,
  oauthError,
  refuse,
  tokens,
  typesOf,
} from './scene.ts';

let place: Place;

beforeEach(() => {
  place = createPlace();
});

/** Holds the answer to the next read until it is let go. */
function holdNextRead(): () => void {
  const answering = Promise.withResolvers<void>();
  place.before = (call) => {
    if (call !== 'read') return;
    place.before = () => undefined;
    return answering.promise;
  };
  return answering.resolve;
}

/** Another program stores the tokens of a generation. */
async function storeElsewhere(generation: number): Promise<void> {
  const { revision } = place.record!;
  const record = { ...place.record!, revision: revision + 1, generation, tokens: tokens(generation) };
  await place.open().write('default', record, revision);
}

test('each source follows the store from its first call on, though another has loaded the account', async () => {
  const place = createPlace();
  const store = place.open();
  const one = await createAgedScene(0, { store });
  const two = createScene({ store, clock: one.clock });
  expect(place.followers).toBe(1);

  await two.source.getAccessToken();

  expect(place.followers).toBe(2);
});

test('a hint that comes during a read leads to another read', async () => {
  const { source, clock, refresh } = await createAgedScene(0, { store: place.open() });
  const letGo = holdNextRead();
  await storeElsewhere(2);
  await clock.advance(50);

  await storeElsewhere(3);
  letGo();
  await clock.advance(50);

  expect(await source.getAccessToken()).toBe('access-3');
  expect(refresh.calls).toHaveLength(0);
});

test('what another process stores during the first read is noticed', async () => {
  const one = await createAgedScene(0, { store: place.open() });
  const { source, clock } = createScene({ store: place.open(), clock: one.clock });
  const letGo = holdNextRead();
  const taking = source.getAccessToken();
  await clock.advance(0);
  await storeElsewhere(2);
  letGo();
  await taking;
  await clock.advance(50);

  expect(await source.getAccessToken()).toBe('access-2');
});

test('a source follows the store once, however often its first read fails', async () => {
  const { source } = createScene({ store: place.open() });
  place.before = () => {
    throw new Error('unreadable');
  };
  await errorOf(source.getAccessToken());
  await errorOf(source.getAccessToken());
  expect(place.followers).toBe(1);

  await source.close();
  expect(place.followers).toBe(0);
});

test('a store that another program set back gets what it lost again', async () => {
  const { source, clock, refresh } = await createAgedScene(EXPIRED_MS, { store: place.open() });
  await source.getAccessToken();
  expect(place.record).toMatchObject({ generation: 2 });

  await storeElsewhere(1);
  await clock.advance(50);

  expect(place.record).toMatchObject({ generation: 2, tokens: { refresh_token: 'refresh-2' } });
  expect(await source.getAccessToken()).toBe('access-2');
  expect(refresh.calls).toHaveLength(1);
});

test('a store that was set back while its disk is full gets what it lost once there is room', async () => {
  const { source, clock, events } = await createAgedScene(EXPIRED_MS, { store: place.open() });
  await source.getAccessToken();
  await storeElsewhere(1);
  place.before = (call) => {
    if (call === 'write') throw new Error('no space left');
  };
  await clock.advance(50);

  expect(source.status().durability).toBe('dirty');
  expect(await errorOf(source.flush())).toMatchObject({ code: 'ERR_STORE_FAILED' });
  expect(typesOf(events)).toContain('persist-failed');

  place.before = () => undefined;
  await source.flush();

  expect(place.record).toMatchObject({ generation: 2, tokens: { refresh_token: 'refresh-2' } });
  expect(source.status().durability).toBe('clean');
});

/** Another program removes the file and writes it anew, as it was; whoever follows the store is told of both. */
async function removeForAMoment(meanwhile: () => Promise<void>): Promise<void> {
  const record = place.record!;
  const touch = (): unknown => place.open().write('another', record, 'replace');
  place.records.delete('default');
  await touch();
  await meanwhile();
  place.records.set('default', record);
  await touch();
}

test('a record that is away while new tokens are written is no sign-out', async () => {
  const { source, clock, events } = await createAgedScene(EXPIRED_MS, { store: place.open() });
  place.before = async (call, record) => {
    if (call !== 'write' || record?.generation !== 2) return;
    place.before = () => undefined;
    await removeForAMoment(() => clock.advance(50));
  };

  const taken = await source.getAccessToken();

  expect(taken).toBe('access-2');
  expect(source.status()).toMatchObject({ health: 'ok', durability: 'clean' });
  expect(typesOf(events)).not.toContain('signed-out');
  await storeElsewhere(1);
  await clock.advance(50);
  expect(place.record).toMatchObject({ generation: 2 });
});

test('a record that was away when it was read, before new tokens were written, is no sign-out', async () => {
  const { source, clock, events, refresh } = await createAgedScene(EXPIRED_MS, { store: place.open() });
  let letGo = (): void => undefined;
  refresh.next(async () => {
    letGo = holdNextRead();
    await removeForAMoment(() => clock.advance(50));
    return tokens(2);
  });

  const taken = await source.getAccessToken();
  letGo();
  await clock.advance(50);

  expect(taken).toBe('access-2');
  expect(source.status().health).toBe('ok');
  expect(typesOf(events)).not.toContain('signed-out');
});

test('tokens that were refused for good are not written over what another program stored', async () => {
  const { source, clock, refresh } = await createAgedScene(EXPIRED_MS, { store: place.open() });
  await source.getAccessToken();
  await clock.advance(EXPIRED_MS);
  refresh.next(oauthError('refresh_token_expired'));
  const refused = errorOf(source.getAccessToken());
  // For a peer that may have been faster.
  await clock.advance(1000);
  expect(await refused).toMatchObject({ permanent: true });
  expect(source.status().health).toBe('signed-out');

  await storeElsewhere(1);
  const { record } = place;
  await clock.advance(1000);
  await errorOf(source.getAccessToken());
  await source.flush();

  expect(place.record).toEqual(record);
});

test('a claim of another process over what was set back and written again is left alone', async () => {
  const { source, clock } = await createAgedScene(EXPIRED_MS, { store: place.open() });
  await source.getAccessToken();
  const whole = place.record!;
  await storeElsewhere(1);
  const claimed = { ...whole, revision: place.record!.revision + 1, claim: { at: clock.now() } };
  place.before = (call) => {
    if (call !== 'write') return;
    place.before = () => undefined;
    place.records.set('default', claimed);
  };
  await clock.advance(50);

  expect(place.record).toEqual(claimed);
  expect(source.status().durability).toBe('clean');
});

test('what was lost is not written over what another process stored meanwhile', async () => {
  const { source, clock } = await createAgedScene(EXPIRED_MS, { store: place.open() });
  await source.getAccessToken();
  const letGo = holdNextRead();
  await storeElsewhere(1);
  await clock.advance(50);
  await storeElsewhere(3);
  letGo();
  await clock.advance(50);

  expect(place.record).toMatchObject({ generation: 3 });
  expect(await source.getAccessToken()).toBe('access-3');
});

test('a store that cannot be followed is used all the same', async () => {
  const store = {
    ...place.open(),
    subscribe: (): never => {
      throw new Error('no hints here');
    },
  };
  const { source } = await createAgedScene(EXPIRED_MS, { store });

  expect(await source.getAccessToken()).toBe('access-2');
  expect(place.record).toMatchObject({ generation: 2 });
});

test('each caller of a first read that fails gets an error of its own', async () => {
  const { source } = createScene({ store: place.open() });
  place.before = () => {
    throw new Error('not readable');
  };

  const errors = await Promise.all([1, 2, 3].map(() => errorOf(source.getAccessToken())));

  expect(new Set(errors).size).toBe(3);
  for (const error of errors) expect(error).toMatchObject({ code: 'ERR_STORE_FAILED' });
});

test('tokens that came to the store while the lock could not be had are used', async () => {
  const one = await createAgedScene(0, { store: { ...place.open(), subscribe: () => undefined } });
  const refused = await authorize(one.source);
  await one.clock.advance(EXPIRED_MS);
  const two = createScene({ store: place.open(), tokens: undefined, clock: one.clock });
  await two.source.getAccessToken();
  void place.open().runExclusive('default', () => new Promise(() => undefined), new AbortController().signal);

  const taking = one.source.getAccessToken();
  const replaying = refuse(one.source, refused);
  await one.clock.advance(25_000);

  expect(await taking).toBe('access-2');
  expect((await replaying)?.headers).toEqual({ authorization: 'Bearer access-2' });
  expect(typesOf(one.events)).not.toContain('refresh-failed');
  expect(one.refresh.calls).toHaveLength(0);
});
