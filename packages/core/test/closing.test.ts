import { expect, test } from '@jest/globals';
import { createMemoryStore, explain401, type TokenEvent } from '@unexpired/core';
import { API, createScene, errorOf, tokens, typesOf } from './scene.ts';

test('who listens to a source hears nothing of the others once it is closed', async () => {
  const store = createMemoryStore();
  const one = createScene({ store });
  const two = createScene({ store });
  const heard: TokenEvent[] = [];
  one.source.subscribe((event) => void heard.push(event));
  await one.source.signIn(tokens(5));
  const before = typesOf(heard);

  await one.source.close();
  await two.source.signIn(tokens(6));

  expect(before).toContain('signed-in');
  expect(typesOf(heard)).toEqual(before);
  expect(typesOf(one.events)).toEqual(before);
});

test('a closed source neither flushes nor takes listeners', async () => {
  const { source } = createScene();
  await source.close();

  expect(await errorOf(source.flush())).toMatchObject({ code: 'ERR_MISCONFIGURED' });
  expect(() => source.subscribe(() => undefined)).toThrow(
    expect.objectContaining({ code: 'ERR_MISCONFIGURED' }),
  );
});

test('a source that is closed twice ends once', () => {
  const { source } = createScene();

  expect(source.close()).toBe(source.close());
});

test('a 401 that comes after the source was closed is explained', async () => {
  const { source } = createScene();
  const authorization = (await source.authorize({ url: API, method: 'GET' }))!;
  await source.close();
  const native = {};

  const response = { url: API, status: 401, header: () => undefined, native };
  expect(await source.reauthorize(authorization, response, { replayable: true })).toBeUndefined();
  expect(explain401(native)).toEqual({ reason: 'refresh-failed', fresh: false, error: undefined });
});
