import { beforeEach, describe, expect, test } from '@jest/globals';
import { explain401 } from '@unexpired/core';
import { fetchAuth } from '@unexpired/fetch';
import { multipartParts } from '@unexpired/testing';
import { bodyOf, openWorld, statuses, type World } from '../../../test/world.ts';

let scene: World;

beforeEach(async () => {
  scene = await openWorld({ source: { limits: { replayBytes: 1000 } } });
});

function form(): FormData {
  const fields = new FormData();
  fields.append('title', 'Grüße');
  fields.append('file', new Blob(['bytes'], { type: 'image/png' }), 'a.png');
  return fields;
}

function streamOf(...chunks: string[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
      controller.close();
    },
  });
}

function post(body: unknown, headers: Record<string, string> = {}): Request {
  return new Request(scene.api.origin, { method: 'POST', body, headers, duplex: 'half' } as RequestInit);
}

describe('the body of a Request', () => {
  test.each([
    ['string', () => 'ünïcode'],
    ['bytes', () => new Uint8Array([0, 255, 128])],
    ['blob', () => new Blob(['bytes'], { type: 'image/png' })],
    ['url search params', () => new URLSearchParams({ a: '1 & 2' })],
    ['form data', form],
  ])('is replayed with its length and type: %s', async (_, make) => {
    const { api, tokens, authorization } = scene;
    authorization.revokeAccessTokens();

    const response = await fetchAuth(tokens)(post(make()));

    expect(response.status).toBe(200);
    expect(statuses(api)).toEqual([401, 200]);
    const [first, second] = api.requests.map(bodyOf);
    expect(first).toMatchObject({ complete: true, length: expect.any(String), coding: undefined });
    expect(second).toEqual(first);
  });

  test('is replayed where it was a stream', async () => {
    const { api, tokens, authorization } = scene;
    authorization.revokeAccessTokens();

    const response = await fetchAuth(tokens)(
      post(streamOf('one, ', 'two'), { 'Content-Type': 'text/plain' }),
    );

    expect(response.status).toBe(200);
    expect(api.requests.map(({ body }) => body.toString())).toEqual(['one, two', 'one, two']);
    expect(api.requests[1]?.headers['content-type']).toBe('text/plain');
  });

  test.each([
    ['a stream', () => streamOf('x'.repeat(600), 'y'.repeat(600))],
    ['a string', () => 'x'.repeat(1200)],
  ])('over the limit leaves the caller with the 401: %s', async (_, make) => {
    const { api, tokens, authorization } = scene;
    authorization.revokeAccessTokens();

    const response = await fetchAuth(tokens)(post(make()));

    expect(response.status).toBe(401);
    expect(await response.json()).toEqual({ error: 'invalid_token' });
    expect(explain401(response)).toMatchObject({ reason: 'body-spent' });
    expect(api.requests.map(({ length, complete }) => [length, complete])).toEqual([[1200, true]]);
  });

  test('of a declared length over the limit is not even recorded', async () => {
    const { api, tokens } = scene;
    const request = post('x'.repeat(1200), { 'Content-Length': '1200' });
    request.clone = () => {
      throw new Error('cloned');
    };

    expect((await fetchAuth(tokens)(request)).status).toBe(200);
    expect(api.requests[0]?.length).toBe(1200);
  });

  test('that goes on while the 401 arrives is replayed from its beginning', async () => {
    const { api, tokens, authorization } = scene;
    authorization.revokeAccessTokens();
    api.always({ early: true });
    const replayed = api.requestArrived(2);
    const slow = new ReadableStream({
      async pull(controller) {
        controller.enqueue(new TextEncoder().encode('the beginning, '));
        await replayed;
        controller.enqueue(new TextEncoder().encode('and the end'));
        controller.close();
      },
    });

    const response = await fetchAuth(tokens)(post(slow));

    expect(response.status).toBe(200);
    await api.requests[1]?.ended;
    expect(bodyOf(api.requests[1])).toMatchObject({ complete: true, text: 'the beginning, and the end' });
  });

  test('that no browser shows leaves the caller with the 401', async () => {
    const { api, tokens, authorization } = scene;
    authorization.revokeAccessTokens();
    const request = post('text');
    Object.defineProperty(request, 'body', { value: undefined });

    const response = await fetchAuth(tokens)(request);

    expect(response.status).toBe(401);
    expect(explain401(response)).toMatchObject({ reason: 'body-spent' });
    expect(bodyOf(api.requests[0])).toMatchObject({ complete: true, text: 'text' });
  });

  test.each(['of init', ''])("gives way to one in init: '%s'", async (body) => {
    const { api, tokens, authorization } = scene;
    authorization.revokeAccessTokens();

    await fetchAuth(tokens)(post('of the Request'), { body });

    expect(api.requests.map((request) => request.body.toString())).toEqual([body, body]);
  });
});

test('a Request without a body is sent again as it is', async () => {
  const { api, tokens, authorization } = scene;
  authorization.revokeAccessTokens();

  const response = await fetchAuth(tokens)(new Request(api.origin, { headers: { 'X-Mine': 'kept' } }));

  expect(response.status).toBe(200);
  expect(api.requests.map(({ headers }) => headers['x-mine'])).toEqual(['kept', 'kept']);
});

test('a Request that was used rejects as it does with fetch', async () => {
  const request = post('text');
  await request.text();

  await expect(fetchAuth(scene.tokens)(request)).rejects.toThrow(TypeError);
  expect(scene.api.requests).toHaveLength(0);
});

describe('a body from a factory', () => {
  test('takes the place of a used Request', async () => {
    const { api, tokens, authorization } = scene;
    authorization.revokeAccessTokens();
    const request = post('x'.repeat(1200), { 'Content-Type': 'text/csv' });

    const response = await fetchAuth(tokens)(request, { unexpired: { body: () => 'fresh' } });

    expect(response.status).toBe(200);
    expect(bodyOf(api.requests[1])).toEqual({
      complete: true,
      text: 'fresh',
      type: 'text/csv',
      length: '5',
      coding: undefined,
    });
  });

  test('that is a form brings its own boundary', async () => {
    const { api, tokens, authorization } = scene;
    authorization.revokeAccessTokens();

    const response = await fetchAuth(tokens)(post(form()), { unexpired: { body: form } });

    expect(response.status).toBe(200);
    const [first, second] = api.requests;
    expect(first?.headers['content-type']).not.toBe(second?.headers['content-type']);
    expect(multipartParts(second!)).toEqual(multipartParts(first!));
  });

  test('is measured anew where the caller declared the length', async () => {
    const { api, tokens, authorization } = scene;
    authorization.revokeAccessTokens();
    const headers = { 'Content-Length': '4' };

    const response = await fetchAuth(tokens)(api.origin, {
      method: 'POST',
      body: 'four',
      headers,
      unexpired: { body: async () => 'a longer text' },
    });

    expect(response.status).toBe(200);
    expect(bodyOf(api.requests[1])).toMatchObject({ complete: true, text: 'a longer text', length: '13' });
  });

  test('may be nothing', async () => {
    const { api, tokens, authorization } = scene;
    authorization.revokeAccessTokens();

    const response = await fetchAuth(tokens)(api.origin, {
      method: 'POST',
      body: 'text',
      unexpired: { body: () => undefined },
    });

    expect(response.status).toBe(200);
    expect(api.requests.map(({ length }) => length)).toEqual([4, 0]);
  });
});
