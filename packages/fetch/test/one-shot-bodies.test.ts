import { beforeEach, expect, test } from '@jest/globals';
import FormDataPackage from 'form-data';
import { explain401 } from '@unexpired/core';
import { fetchAuth } from '@unexpired/fetch';
import { bodyOf, openWorld, statuses, type World } from '../../../test/world.ts';

const MIB = 1024 * 1024;

let scene: World;

beforeEach(async () => {
  scene = await openWorld();
});

async function* upload(size: number): AsyncGenerator<Uint8Array> {
  const chunk = new Uint8Array(64 * 1024).fill(7);
  for (let given = 0; given < size; given += chunk.length) yield chunk;
}

function post(body: unknown): Promise<Response> {
  const init = { method: 'POST', body, duplex: 'half' } as RequestInit;
  return fetchAuth(scene.tokens)(scene.api.origin, init);
}

test('an early 401 does not close a long source, and the replay has all of it', async () => {
  scene = await openWorld({ source: { limits: { replayBytes: 32 * MIB } } });
  const { api, authorization } = scene;
  authorization.revokeAccessTokens();
  api.next({ early: true });

  const response = await post(upload(24 * MIB));

  expect(response.status).toBe(200);
  expect(api.requests[1]).toMatchObject({ complete: true, length: 24 * MIB });
});

test("the text that fetch makes of the package form-data's form arrives once", async () => {
  const { api, authorization } = scene;
  authorization.revokeAccessTokens();
  const form = new FormDataPackage();
  form.append('title', 'text');

  const response = await post(form);

  expect(response.status).toBe(401);
  expect(explain401(response)).toMatchObject({ reason: 'body-spent' });
  expect(bodyOf(api.requests[0])).toMatchObject({ complete: true, text: '[object FormData]' });
  expect(statuses(api)).toEqual([401]);
});

test('a source that fails rejects with its error', async () => {
  const { authorization } = scene;
  authorization.revokeAccessTokens();
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(10);
    throw new Error('the disk is gone');
  }

  const failure = await post(failing()).catch((error: unknown) => error);

  expect(failure).toBeInstanceOf(TypeError);
  expect((failure as Error).cause).toEqual(new Error('the disk is gone'));
});
