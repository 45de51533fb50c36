import { describe, expect, test } from '@jest/globals';
import { explain401 } from '@unexpired/core';
import { kyAuth } from '@unexpired/ky';
import { multipartParts } from '@unexpired/testing';
import FormDataPackage from 'form-data';
import ky, { HTTPError, type Hooks, type Options } from 'ky';
import { bodyOf, rejectionOf, statuses, texts } from '../../../test/world.ts';
import { openScene, type Scene } from './scene.ts';

function form(): FormData {
  const fields = new FormData();
  fields.append('title', 'Grüße');
  fields.append('file', new Blob(['bytes'], { type: 'image/png' }), 'a.png');
  return fields;
}

function streamOf(text: string): ReadableStream<Uint8Array> {
  return new Blob([text]).stream();
}

async function openRefusing(options: Parameters<typeof openScene>[0] = {}): Promise<Scene> {
  const scene = await openScene(options);
  scene.authorization.revokeAccessTokens();
  return scene;
}

describe('the option json', () => {
  test('is made a text once, and replayed as that text', async () => {
    const { api, client } = await openRefusing();
    const data = { count: 1 };
    let calls = 0;
    const stringifyJson = (given: unknown): string => {
      calls += 1;
      const text = `${JSON.stringify(given)} `;
      data.count += 1;
      return text;
    };

    await client.post('things', { json: data, stringifyJson });

    expect(calls).toBe(1);
    const [first, second] = api.requests.map(bodyOf);
    expect(first).toMatchObject({ complete: true, text: '{"count":1} ', type: 'application/json' });
    expect(second).toEqual(first);
  });

  test('is replayed as it was sent where an init hook after ours makes the text', async () => {
    const { api, client } = await openRefusing();
    const init: NonNullable<Hooks['init']> = [
      (options) => {
        const { stringifyJson: inner } = options;
        options.stringifyJson = (data) => `{"sealed":${inner?.(data)}}`;
      },
    ];

    await client.extend({ hooks: { init } }).post('things', { json: 1 });

    expect(texts(api)).toEqual(['{"sealed":1}', '{"sealed":1}']);
  });

  test('makes the text of what a factory gives', async () => {
    const { api, client } = await openRefusing();
    const unexpired = { body: async () => ({ attempt: 2 }) };

    await client.post('things', {
      json: { attempt: 1 },
      stringifyJson: (data) => JSON.stringify({ data }),
      context: { unexpired },
    });

    expect(texts(api)).toEqual(['{"data":{"attempt":1}}', '{"data":{"attempt":2}}']);
  });

  test('makes the text of what a factory gives, where an init hook after ours sets it', async () => {
    const { api, client } = await openRefusing();
    const init: NonNullable<Hooks['init']> = [(options) => void (options.json = { attempt: 1 })];

    await client.extend({ hooks: { init } }).post('things', {
      stringifyJson: (data) => JSON.stringify({ data }),
      context: { unexpired: { body: () => ({ attempt: 2 }) } },
    });

    expect(texts(api)).toEqual(['{"data":{"attempt":1}}', '{"data":{"attempt":2}}']);
  });
});

describe('a body', () => {
  test.each([0, 2])('of a Request is replayed, with %s retries', async (retry) => {
    const { api, client } = await openRefusing({ ky: { retry } });

    await client(new Request(`${api.origin}/things`, { method: 'POST', body: form() }));

    const [first, second] = api.requests;
    expect(statuses(api)).toEqual([401, 200]);
    expect(bodyOf(second!)).toEqual(bodyOf(first!));
  });

  test.each([0, 2])('whose upload is watched is replayed, with %s retries', async (limit) => {
    const { api, client } = await openRefusing({ ky: { retry: limit } });
    let uploaded = 0;

    await client.post('things', {
      body: 'x'.repeat(1000),
      onUploadProgress: ({ transferredBytes }) => (uploaded = transferredBytes),
    });

    expect(api.requests.map(({ status, length, complete }) => [status, length, complete])).toEqual([
      [401, 1000, true],
      [200, 1000, true],
    ]);
    expect(uploaded).toBe(1000);
  });

  test.each<[string, Options]>([
    ['string', { body: 'text' }],
    ['json', { json: 'text' }],
    ['stream', { body: streamOf('text') }],
    ['form', { body: new URLSearchParams({ a: 'text' }) }],
  ])("is whole on ky's own retry after a replay: %s", async (_, options) => {
    const { api, client } = await openRefusing();
    api.next({ respond: { status: 401, body: { error: 'invalid_token' } } }, 503);

    await client.put('things', options);

    expect(statuses(api)).toEqual([401, 503, 200]);
    const [first, ...others] = texts(api);
    expect(first).toMatch(/text/);
    expect(others).toEqual([first, first]);
  });

  test('of a type and length that the caller declared keeps them', async () => {
    const { api, client } = await openRefusing();
    const headers = { 'Content-Type': 'text/csv', 'Content-Length': '4' };

    await client.post('things', { body: 'text', headers });

    const [first, second] = api.requests.map(bodyOf);
    expect(first).toMatchObject({ type: 'text/csv', length: '4', text: 'text' });
    expect(second).toEqual(first);
  });

  test('that is a form has one boundary in header and body', async () => {
    const { api, client } = await openRefusing();

    await client.post('things', { body: form() });

    const [first, second] = api.requests;
    expect(statuses(api)).toEqual([401, 200]);
    expect(multipartParts(second!)).toEqual(multipartParts(first!));
  });

  test("that is the package form-data's form arrives twice as the text that ky makes of it", async () => {
    const { api, client } = await openRefusing();

    await client.post('things', { body: new FormDataPackage() as never });

    expect(statuses(api)).toEqual([401, 200]);
    expect(texts(api)).toEqual(['[object FormData]', '[object FormData]']);
  });
});

describe('a body that is not kept', () => {
  test.each([0, 2])("leaves ky's ordinary 401, with %s retries", async (retry) => {
    const { api, client } = await openRefusing({ ky: { retry }, source: { limits: { replayBytes: 3 } } });

    const error = await rejectionOf(client.put('things', { body: streamOf('text') }));

    expect(error).toBeInstanceOf(HTTPError);
    expect(error).toMatchObject({ response: { status: 401 }, data: { error: 'invalid_token' } });
    expect(explain401(error)).toMatchObject({ reason: 'body-spent' });
    expect(api.requests.map(bodyOf)).toMatchObject([{ complete: true, text: 'text' }]);
  });

  test('is made anew by the factory, of any length', async () => {
    const { api, client } = await openRefusing({ source: { limits: { replayBytes: 0 } } });
    const unexpired = { body: () => 'a longer text' };

    await client.put('things', { body: streamOf('text'), context: { unexpired } });

    expect(texts(api)).toEqual(['text', 'a longer text']);
  });

  test('may be made to be nothing', async () => {
    const { api, client } = await openRefusing();

    await client.put('things', { body: 'text', context: { unexpired: { body: () => undefined } } });

    expect(statuses(api)).toEqual([401, 200]);
    expect(texts(api)).toEqual(['text', '']);
  });
});

test('a factory for all calls of an instance leaves a GET as it is', async () => {
  const { api, client } = await openRefusing();
  const unexpired = { body: () => 'text' };

  await client.extend({ context: { unexpired } }).get('things');

  expect(api.requests.map(({ status, length }) => [status, length])).toEqual([
    [401, 0],
    [200, 0],
  ]);
});

test('the place of a form may be taken by parameters', async () => {
  const { api, client } = await openRefusing();
  const unexpired = { body: () => new URLSearchParams({ a: 'b' }) };

  await client.post('things', { body: form(), context: { unexpired } });

  expect(bodyOf(api.requests[1])).toMatchObject({
    text: 'a=b',
    type: 'application/x-www-form-urlencoded;charset=UTF-8',
  });
});

describe("the caller's own fetch", () => {
  /** Answers without a network, and notes what it was given. */
  function stub(): {
    calls: [Request, unknown][];
    fetch: (request: Request, init?: unknown) => Promise<Response>;
  } {
    const calls: [Request, unknown][] = [];
    return {
      calls,
      async fetch(request, init) {
        calls.push([request, init]);
        return new Response(await request.text(), { status: calls.length === 1 ? 401 : 200 });
      },
    };
  }

  test('is given a Request with the access token, and what ky gives beside it', async () => {
    const { tokens, api, first, authorization } = await openScene();
    const { calls, fetch } = stub();
    const client = ky.create({ fetch: fetch as never }).extend(kyAuth(tokens));
    const options = { body: 'text', dispatcher: 'mine' } as Options;

    expect(await client.post(`${api.origin}/things`, options).text()).toBe('text');
    const seen = calls.map(([request, init]) => [request.headers.get('authorization'), init]);
    expect(seen).toEqual([
      [`Bearer ${first.access_token}`, { dispatcher: 'mine' }],
      [`Bearer ${authorization.exchanges[0]?.issued?.access_token}`, { dispatcher: 'mine' }],
    ]);
  });

  test('may answer before it reads the body', async () => {
    const { tokens, api } = await openScene();
    const bodies: string[] = [];
    let calls = 0;
    const fetch = async (request: Request): Promise<Response> => {
      calls += 1;
      if (calls === 1) return new Response(null, { status: 401 });
      bodies.push(await request.text());
      return new Response();
    };
    const client = ky.create({ fetch: fetch as never, retry: 0 }).extend(kyAuth(tokens));

    await client.post(`${api.origin}/things`, { json: { a: 1 } });

    expect([calls, bodies]).toEqual([2, ['{"a":1}']]);
  });

  test('is given what else the Request says', async () => {
    const { tokens, api } = await openScene();
    const { calls, fetch } = stub();
    const client = ky.create({ fetch: fetch as never }).extend(kyAuth(tokens));
    const referrer = `${api.origin}/page`;
    const says = { credentials: 'omit', cache: 'no-store', referrerPolicy: 'no-referrer' } as const;

    await client.put(api.origin, { ...says, referrer, body: 'text' });

    expect(calls.map(([request]) => request)).toMatchObject([
      { ...says, referrer, method: 'PUT' },
      { ...says, referrer, method: 'PUT' },
    ]);
  });

  test('is given a Request where a hook gave one of a class with another constructor', async () => {
    class Named extends Request {
      constructor(_name: string, request: Request) {
        super(request);
      }
    }
    const { tokens, api } = await openScene();
    const { calls, fetch } = stub();
    const client = ky.create({ fetch: fetch as never }).extend(kyAuth(tokens));

    await client.put(api.origin, {
      body: 'text',
      hooks: { beforeRequest: [({ request }) => new Named('mine', request)] },
    });

    expect(calls.map(([{ url }]) => url)).toEqual([`${api.origin}/`, `${api.origin}/`]);
  });

  test('is given the very Request of ky where it is not ours', async () => {
    const { tokens, elsewhere } = await openScene();
    const { calls, fetch } = stub();
    let given: Request | undefined;
    const client = ky.create({ fetch: fetch as never, retry: 0 }).extend(kyAuth(tokens));

    await rejectionOf(
      client.post(elsewhere.origin, {
        body: 'text',
        hooks: { beforeRequest: [({ request }) => void (given = request)] },
      }),
    );

    expect(calls[0]?.[0]).toBe(given);
  });
});
