import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { explain401 } from '@unexpired/core';
import { fetchAuth } from '@unexpired/fetch';
import { multipartParts } from '@unexpired/testing';
import {
  Agent,
  FormData as UndiciFormData,
  Headers as UndiciHeaders,
  Request as UndiciRequest,
  fetch as undiciFetch,
} from 'undici';
import { bodyOf, openWorld, statuses, type World } from '../../../test/world.ts';

let scene: World;
let dispatcher: Agent;

beforeEach(async () => {
  scene = await openWorld();
  dispatcher = new Agent();
});

afterEach(async () => {
  await dispatcher.close();
});

function post(body: unknown): UndiciRequest {
  return new UndiciRequest(scene.api.origin, { method: 'POST', body, duplex: 'half', dispatcher } as never);
}

describe('the fetch of npm undici', () => {
  test('sends its own Request, once more after a 401', async () => {
    const { api, tokens, authorization } = scene;
    authorization.revokeAccessTokens();

    const response = await fetchAuth(tokens, { fetch: undiciFetch })(post('text'));

    expect(response.status).toBe(200);
    expect(statuses(api)).toEqual([401, 200]);
    const [first, second] = api.requests.map(bodyOf);
    expect(first).toMatchObject({ complete: true, text: 'text', length: '4' });
    expect(second).toEqual(first);
  });

  test('sends its own FormData and Headers', async () => {
    const { api, tokens, authorization } = scene;
    authorization.revokeAccessTokens();
    const body = new UndiciFormData();
    body.append('title', 'text');
    const headers = new UndiciHeaders({ 'X-Mine': 'kept' });

    const response = await fetchAuth(tokens, { fetch: undiciFetch })(api.origin, {
      method: 'POST',
      body,
      headers,
      dispatcher,
    });

    expect(response.status).toBe(200);
    const [first, second] = api.requests;
    expect(multipartParts(first!)).toMatchObject([{ name: 'title' }]);
    expect(multipartParts(second!)).toEqual(multipartParts(first!));
    expect([first?.headers['x-mine'], second?.headers['x-mine']]).toEqual(['kept', 'kept']);
    expect(headers.has('authorization')).toBe(false);
  });

  test('sends the body of a factory in the place of that of its own Request', async () => {
    const { api, tokens, authorization } = scene;
    authorization.revokeAccessTokens();
    const form = (): UndiciFormData => {
      const body = new UndiciFormData();
      body.append('title', 'text');
      return body;
    };

    const response = await fetchAuth(tokens, { fetch: undiciFetch })(post(form()), {
      unexpired: { body: form },
    });

    expect(response.status).toBe(200);
    expect(multipartParts(api.requests[1]!)).toEqual(multipartParts(api.requests[0]!));
  });

  test('answers with responses that can be explained', async () => {
    const { api, tokens } = scene;
    api.always(401);

    const response = await fetchAuth(tokens, { fetch: undiciFetch })(api.origin, { dispatcher });

    expect(explain401(response)).toMatchObject({ reason: 'refused-again' });
  });
});

describe('a Request of npm undici given to the global fetch', () => {
  test('fails as it does without the adapter', async () => {
    const request = post('text') as unknown as Request;
    const bare = await fetch(request).catch((error: unknown) => error);

    const guarded = await fetchAuth(scene.tokens)(request).catch((error: unknown) => error);

    expect(String(guarded)).toBe(String(bare));
  });
});
