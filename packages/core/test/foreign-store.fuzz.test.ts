import { expect, test } from '@jest/globals';
import { createMemoryStore, type TokenSource, type TokenStore } from '@unexpired/core';
import fc from 'fast-check';
import { runs } from '../../../test/runs.ts';
import { createScene, oauthError, tokens, type Scene } from './scene.ts';

const CANARY = 'canary-d2';
const anything = fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true });

function breaking(): never {
  throw Object.assign(new Error(CANARY), { token: CANARY });
}
const atOnce = fc.oneof(
  anything.map((value) => () => value),
  fc.constant(breaking),
);
const results = fc.oneof(
  atOnce,
  anything.map((value) => async () => value),
  fc.constant(() => Promise.reject(new Error(CANARY))),
);
const section = fc.oneof(anything, fc.record({ signal: anything, clock: anything }, { requiredKeys: [] }));
/** A store with one method that is not what it should be. */
const stores = fc
  .oneof(
    fc.record({ read: results }),
    fc.record({ write: results }),
    fc.record({ runExclusive: results }),
    fc.record({ subscribe: atOnce }),
    section.map((given) => ({
      runExclusive: (_: string, task: (inside: unknown) => unknown) => task(given),
    })),
  )
  .map((method): TokenStore => ({ ...createMemoryStore(), ...(method as unknown as TokenStore) }));

/** What a call came to, however long the clock says that it took. */
async function endOf({ clock }: Scene, promise: Promise<unknown>): Promise<unknown> {
  let end: { readonly value: unknown } | undefined;
  promise.then(
    (value) => (end = { value }),
    (value: unknown) => (end = { value }),
  );
  for (let turn = 0; end === undefined && turn < 200; turn += 1) await clock.advance(turn < 20 ? 0 : 1000);
  if (end === undefined) throw new Error('It waits for ever.');
  return end.value;
}

const calls: readonly ((source: TokenSource) => Promise<unknown>)[] = [
  (source) => source.getAccessToken(),
  (source) => source.getAccessToken({ minTtlMs: 3_000_000 }),
  (source) => source.signIn(tokens(50)),
  (source) => source.getAccessToken(),
  (source) => source.flush(),
  (source) => source.signOut(),
];

test('whatever a store gives back, each call ends: with an access token, or with an AccessTokenError', async () => {
  const codes = fc.constantFrom('', 'invalid_grant', 'temporarily_unavailable');
  await fc.assert(
    fc.asyncProperty(stores, fc.shuffledSubarray([...calls]), codes, async (store, some, code) => {
      const scene = createScene({ store });
      if (code !== '') scene.refresh.always(oauthError(code));
      for (const call of some) {
        const end = await endOf(scene, call(scene.source));
        if (end === undefined || typeof end === 'string') continue;

        expect(end).toMatchObject({ name: 'AccessTokenError' });
        const { message, cause } = end as Error;
        expect(`${message} ${String(cause)} ${JSON.stringify(cause)}`).not.toMatch(
          /canary|access-|refresh-\d/,
        );
      }
      expect(JSON.stringify(scene.source.status())).not.toMatch(/canary|access-|refresh-\d/);
      expect(await endOf(scene, scene.source.close())).toBeUndefined();
    }),
    runs(100),
  );
});

test('whatever a store gives back, what a person signed in with is used at once', async () => {
  await fc.assert(
    fc.asyncProperty(stores, async (store) => {
      const scene = createScene({ store, tokens: undefined });
      await endOf(scene, scene.source.signIn(tokens(50)));

      expect(await endOf(scene, scene.source.getAccessToken())).toBe('access-50');
      await endOf(scene, scene.source.close());
    }),
    runs(60),
  );
});

test('a store whose `subscribe` is asynchronous does not keep a source from closing', async () => {
  const subscribe = async (): Promise<() => void> => () => undefined;
  const store = { ...createMemoryStore(), subscribe } as unknown as TokenStore;
  const scene = createScene({ store });
  await scene.source.getAccessToken();

  await expect(scene.source.close()).resolves.toBeUndefined();
});
