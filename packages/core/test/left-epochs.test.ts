import { beforeEach, expect, test } from '@jest/globals';
import type { CredentialRecord } from '@unexpired/core';
import { createPlace, type Place } from './place.ts';
import {
  createAgedScene,
  createScene,
  DUE_MS,
  errorOf,
  EXPIRED_MS,
  settled,
  tokens,
  typesOf,
  type Scene,
} from './scene.ts';

let place: Place;

beforeEach(() => {
  place = createPlace();
});

/** An old program writes the text that it has read before, and knows no revision. */
async function rewrite(text: CredentialRecord, { clock }: Scene): Promise<void> {
  await place.open().write('default', text, 'replace');
  await clock.advance(50);
}

test('a sign-in is not undone by a program that writes back what it read before', async () => {
  const scene = await createAgedScene(0, { store: place.open() });
  const old = place.record!;
  await scene.source.signIn(tokens(7));

  await rewrite(old, scene);

  expect(await scene.source.getAccessToken()).toBe('access-7');
  expect(place.record).toMatchObject({ tokens: { refresh_token: 'refresh-7' } });
  expect(place.record!.epoch).not.toBe(old.epoch);
  expect(typesOf(scene.events)).not.toContain('adopted');
});

test('a source that has done no more than sign in follows its store, until it is closed', async () => {
  const scene = createScene({ store: place.open(), tokens: undefined });
  await scene.source.signIn(tokens(1));
  const old = place.record!;
  await scene.source.signIn(tokens(7));

  await rewrite(old, scene);

  expect(place.record).toMatchObject({ tokens: { refresh_token: 'refresh-7' } });
  expect(place.followers).toBe(1);
  await scene.source.close();
  expect(place.followers).toBe(0);
});

test('a sign-out is not undone by a program that writes back what it read before', async () => {
  const scene = await createAgedScene(0, { store: place.open() });
  const old = place.record!;
  await scene.source.signOut();

  await rewrite(old, scene);

  expect(place.record).toMatchObject({ signedOut: true });
  expect(place.record!.tokens).toBeUndefined();
  expect(await errorOf(scene.source.getAccessToken())).toMatchObject({
    code: 'ERR_REAUTHENTICATION_REQUIRED',
  });
});

test('without hints a sign-out that was overwritten is stored again by who asks for an access token', async () => {
  const store = { ...place.open(), subscribe: () => undefined };
  const { source, clock } = await createAgedScene(0, { store });
  const old = place.record!;
  await source.signOut();
  place.records.set('default', old);
  await clock.advance(1000);

  expect(await errorOf(source.getAccessToken())).toMatchObject({ code: 'ERR_REAUTHENTICATION_REQUIRED' });

  await clock.advance(1);
  expect(place.record).toMatchObject({ signedOut: true });
});

test('a claim that an old program wrote back does not hold back the refresh token of a later sign-in', async () => {
  const store = { ...place.open(), subscribe: () => undefined };
  const { source, clock, refresh } = await createAgedScene(0, { store, profile: { reuse: 'strict' } });
  const old = place.record!;
  await source.signIn(tokens(7));
  place.records.set('default', { ...old, claim: { at: clock.now() } });
  await clock.advance(DUE_MS);

  await source.getAccessToken();
  await settled(clock, source.flush());

  expect(refresh.calls.map(({ refreshToken }) => refreshToken)).toEqual(['refresh-7']);
});

test('a sign-in that another process made is not undone either', async () => {
  const scene = await createAgedScene(0, { store: place.open() });
  const old = place.record!;
  const other = createScene({ store: place.open(), clock: scene.clock });
  await other.source.signIn(tokens(7));
  await other.source.close();
  await scene.clock.advance(50);

  await rewrite(old, scene);

  expect(await scene.source.getAccessToken()).toBe('access-7');
  expect(place.record).toMatchObject({ tokens: { refresh_token: 'refresh-7' } });
});

test('processes that began before and after a sign-in agree on it, though it was rewritten', async () => {
  // It reads after the other one, which cannot know better.
  const scene = await createAgedScene(0, { store: place.open(), random: () => 0.9 });
  const old = place.record!;
  await scene.source.signIn(tokens(7));
  const late = createScene({ store: place.open(), clock: scene.clock });
  expect(await late.source.getAccessToken()).toBe('access-7');

  await rewrite(old, scene);
  expect(typesOf(late.events)).toContain('adopted');
  await scene.clock.advance(200);
  const writes = place.written.length;
  await scene.clock.advance(1000);

  expect(place.written).toHaveLength(writes);
  expect(place.record).toMatchObject({ tokens: { refresh_token: 'refresh-7' } });
  expect(await late.source.getAccessToken()).toBe('access-7');
  expect(await scene.source.getAccessToken()).toBe('access-7');
});

test('a program that removes the record and then writes what it read before does not undo a sign-in', async () => {
  const scene = await createAgedScene(0, { store: place.open() });
  const old = place.record!;
  await scene.source.signIn(tokens(7));
  await place.open().write('default', old, 'replace');
  place.records.delete('default');
  await scene.clock.advance(50);
  expect(scene.source.status().health).toBe('signed-out');

  await rewrite(old, scene);

  expect(scene.source.status().health).toBe('ok');
  expect(await scene.source.getAccessToken()).toBe('access-7');
  expect(place.record).toMatchObject({ tokens: { refresh_token: 'refresh-7' } });
});

test('a record that is removed while a sign-out is written back stays removed', async () => {
  const scene = await createAgedScene(0, { store: place.open() });
  const old = place.record!;
  await scene.source.signOut();
  place.before = (call) => {
    if (call !== 'write') return;
    place.before = (next) => {
      if (next === 'write') place.records.delete('default');
    };
  };

  await rewrite(old, scene);
  place.before = () => undefined;

  expect(place.record).toBeUndefined();
  expect(scene.source.status()).toMatchObject({ health: 'signed-out', durability: 'clean' });
  await rewrite(old, scene);
  expect(place.record).toMatchObject({ signedOut: true });
  expect(await errorOf(scene.source.getAccessToken())).toMatchObject({
    code: 'ERR_REAUTHENTICATION_REQUIRED',
  });
  expect(typesOf(scene.events).filter((type) => type === 'signed-out')).toHaveLength(1);
});

test.each([16, 17])('of the last 16 sign-ins none returns: %p back', async (back) => {
  const scene = await createAgedScene(0, { store: place.open() });
  const old = place.record!;
  for (let count = 1; count <= back; count += 1) await scene.source.signIn(tokens(100 + count));

  await rewrite(old, scene);

  expect(await scene.source.getAccessToken()).toBe(back <= 16 ? `access-${100 + back}` : 'access-1');
});

test('a refresh is stored although the sign-in before it was rewritten meanwhile', async () => {
  const { source, clock, refresh } = await createAgedScene(0, { store: place.open() });
  const old = place.record!;
  await source.signIn(tokens(7));
  await clock.advance(EXPIRED_MS);
  refresh.next(() => {
    place.records.set('default', old);
    return tokens(8);
  });

  expect(await source.getAccessToken()).toBe('access-8');

  expect(place.record).toMatchObject({ generation: 2, tokens: { refresh_token: 'refresh-8' } });
  expect(source.status().durability).toBe('clean');
});

test('a refresh is stored although a program removed the record for a moment, to write it anew', async () => {
  const scene = await createAgedScene(EXPIRED_MS, { store: place.open() });
  const old = place.record!;
  scene.refresh.next(() => {
    place.records.delete('default');
    place.before = (call) => {
      if (call !== 'read') return;
      place.before = () => undefined;
      place.records.set('default', old);
    };
    return tokens(2);
  });

  const taking = scene.source.getAccessToken();
  await scene.clock.advance(50);

  expect(await taking).toBe('access-2');
  expect(place.record).toMatchObject({ generation: 2, tokens: { refresh_token: 'refresh-2' } });
  expect(typesOf(scene.events)).not.toContain('signed-out');
});

test('a refresh carries a sign-in over what an old program wrote, at a revision above all', async () => {
  const store = { ...place.open(), subscribe: () => undefined };
  const { source, clock, refresh } = await createAgedScene(0, { store });
  const old = place.record!;
  await source.signIn(tokens(7));
  const { revision } = place.record!;
  await clock.advance(EXPIRED_MS);
  place.records.set('default', old);

  await source.getAccessToken();

  expect(refresh.calls.map(({ refreshToken }) => refreshToken)).toEqual(['refresh-7']);
  expect(place.record!.epoch).not.toBe(old.epoch);
  expect(place.record!.revision).toBeGreaterThan(revision);
});
