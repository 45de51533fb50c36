import { Readable } from 'node:stream';
import { createGzip, gzipSync, gunzipSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import { explain401 } from '@unexpired/core';
import { gotAuth } from '@unexpired/got';
import got, { type HandlerFunction, type Options, type OptionsInit } from 'got';
import { statuses } from '../../../test/world.ts';
import { errorOf, openScene, redirectTo, type Scene } from './scene.ts';

const bodies = ({ api }: Scene): string[] => api.requests.map(({ body }) => body.toString());

async function refusedScene(options: Parameters<typeof openScene>[0] = {}): Promise<Scene> {
  const scene = await openScene(options);
  scene.authorization.revokeAccessTokens();
  return scene;
}

test('a declared length goes with a stream, and with its replay', async () => {
  const scene = await refusedScene();
  const init = { body: Readable.from(['abc', 'de']), headers: { 'Content-Length': '5' } };

  await scene.client.post(scene.api.origin, init);

  expect(bodies(scene)).toEqual(['abcde', 'abcde']);
  expect(scene.api.requests.map(({ headers }) => headers['content-length'])).toEqual(['5', '5']);
});

test('a stream whose declared length is beyond the limit is not recorded', async () => {
  const scene = await refusedScene({ source: { limits: { replayBytes: 4 } } });
  const init = { body: Readable.from(['abc', 'de']), headers: { 'content-length': '5' } };

  const error = await errorOf(scene.client.post(scene.api.origin, init));

  expect(explain401(error)?.reason).toBe('body-spent');
  expect(bodies(scene)).toEqual(['abcde']);
});

test.each([0, 100])('the limit of a source that a resolver names counts: %i', async (replayBytes) => {
  const scene = await refusedScene({ source: { limits: { replayBytes } } });
  const client = got.extend(
    { throwHttpErrors: false },
    gotAuth(async () => scene.tokens),
  );

  const { statusCode } = await client.post(scene.api.origin, { body: Readable.from(['abc']) });

  expect(statusCode).toBe(replayBytes === 0 ? 401 : 200);
});

test('json and form are sent again with their types', async () => {
  const scene = await openScene();
  const inits: OptionsInit[] = [{ json: { a: 1 } }, { form: { a: 1 } }, { json: 'text' }, { body: 'plain' }];
  for (const init of inits) {
    scene.authorization.revokeAccessTokens();
    await scene.client.post(scene.api.origin, init);
  }

  const seen = scene.api.requests.map(({ headers, body }) => [
    headers['content-type'],
    headers['content-length'],
    String(body),
  ]);
  expect(seen.filter((_, index) => index % 2 === 1)).toEqual(seen.filter((_, index) => index % 2 === 0));
  expect(seen[0]).toEqual(['application/json', '7', '{"a":1}']);
  expect(seen[2]).toEqual(['application/x-www-form-urlencoded', '3', 'a=1']);
});

test('a form has one boundary in its header and its body', async () => {
  const scene = await refusedScene();
  const body = new FormData();
  body.append('name', 'value');

  await scene.client.post(scene.api.origin, { body: body as never });

  for (const request of scene.api.requests) {
    const boundary = /boundary=(.+)$/.exec(String(request.headers['content-type']))?.[1];
    expect(request.body.toString().startsWith(`--${boundary}`)).toBe(true);
  }
  expect(statuses(scene.api)).toEqual([401, 200]);
});

test('a factory may give a form, and headers of the body before are gone', async () => {
  const scene = await refusedScene();
  const make = (): FormData => {
    const body = new FormData();
    body.append('name', 'value');
    return body;
  };

  await scene.client.post(scene.api.origin, { json: { a: 1 }, context: { unexpired: { body: make } } });

  const replay = scene.api.requests[1];
  expect(replay?.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/);
  expect(replay?.body.toString()).toContain('name="name"');
});

test('the replay of a request that was redirected has its method and body again', async () => {
  const scene = await refusedScene();
  scene.api.next(redirectTo('/seen', 303));

  await scene.client.post(`${scene.api.origin}/form`, { json: { a: 1 } });

  expect(scene.api.requests.map(({ method, url, body }) => [method, url, body.toString()])).toEqual([
    ['POST', '/form', '{"a":1}'],
    ['GET', '/seen', ''],
    ['POST', '/form', '{"a":1}'],
  ]);
});

test('the replay of a request that was redirected has its cookie and framing again', async () => {
  const { api, elsewhere, client, createSource, first } = await openScene();
  const both = createSource({ origins: [api.origin, elsewhere.origin], tokens: first, account: 'both' });
  api.next(redirectTo(elsewhere.origin, 303));
  elsewhere.next(401);
  const headers = { cookie: 'k=v', 'transfer-encoding': 'chunked' };

  await client.extend(gotAuth(both)).post(api.origin, { body: 'abc', headers });

  expect(elsewhere.requests[0]?.headers.cookie).toBeUndefined();
  expect(api.requests.map((request) => request.headers)).toMatchObject([headers, headers]);
});

test('a hook that transforms the body does it once for each attempt', async () => {
  const scene = await refusedScene();
  const compress = (options: Pick<Options, 'body' | 'headers'>): void => {
    options.body = gzipSync(options.body as string);
    options.headers['content-encoding'] = 'gzip';
  };

  await scene.client.post(scene.api.origin, { json: { a: 1 }, hooks: { beforeRequest: [compress] } });

  expect(scene.api.requests.map(({ body }) => gunzipSync(body).toString())).toEqual(['{"a":1}', '{"a":1}']);
  expect(scene.api.requests.map(({ headers }) => headers['content-encoding'])).toEqual(['gzip', 'gzip']);
});

test('a stream that a hook of the user puts in is sent once', async () => {
  const scene = await refusedScene();
  const replace = (options: Pick<Options, 'body'>): void => {
    options.body = Readable.from(['other']);
  };

  const error = await errorOf(
    scene.client.post(scene.api.origin, {
      body: Readable.from(['own']),
      hooks: { beforeRequest: [replace] },
    }),
  );

  expect(explain401(error)?.reason).toBe('body-spent');
  expect(bodies(scene)).toEqual(['other']);
});

test('a stream that got cannot send again fails as it does without the adapter', async () => {
  const scene = await openScene();
  const init = (): OptionsInit => ({
    body: Readable.from(['a']),
    retry: { limit: 1, noise: 0, backoffLimit: 1 },
  });
  scene.api.always(503);

  const [own, bare] = [
    await errorOf(scene.client.put(scene.api.origin, init())),
    await errorOf(scene.bare.put(scene.api.origin, init())),
  ];

  expect(own.message).toBe(bare.message);
  expect(scene.api.requests).toHaveLength(2);
});

test('the source of a stream is closed when its request is over', async () => {
  const scene = await openScene();
  const body = Readable.from(['a']);

  await scene.client.post(scene.api.origin, { body });

  expect(body.destroyed).toBe(true);
});

const zipped: HandlerFunction = (options, next) => {
  if (typeof options.body === 'string') options.body = gzipSync(options.body);
  else if (options.body !== undefined) options.body = Readable.from(options.body as never).pipe(createGzip());
  options.headers['content-encoding'] = 'gzip';
  return next(options);
};

test('what a handler made of a body is what the replay sends', async () => {
  const scene = await refusedScene({ after: { handlers: [zipped] } });

  await scene.client.post(scene.api.origin, { body: 'plain text '.repeat(20) });

  const seen = scene.api.requests.map(({ body }) => gunzipSync(body).toString());
  expect(seen).toEqual(['plain text '.repeat(20), 'plain text '.repeat(20)]);
});

test('what a handler made of a form is what the replay sends', async () => {
  const serialize: HandlerFunction = (options, next) => {
    options.body = 'name=value';
    return next(options);
  };
  const scene = await refusedScene({ after: { handlers: [serialize] } });

  await scene.client.post(scene.api.origin, { body: new FormData() as never });

  expect(bodies(scene)).toEqual(['name=value', 'name=value']);
});

test('an envelope that a handler put a body in is sent again', async () => {
  const wrap: HandlerFunction = (options, next) => {
    const { body } = options;
    options.body = undefined;
    options.json = { wrapped: body };
    return next(options);
  };
  const scene = await refusedScene({ after: { handlers: [wrap] } });

  await scene.client.post(scene.api.origin, { body: 'raw' });

  expect(bodies(scene)).toEqual(['{"wrapped":"raw"}', '{"wrapped":"raw"}']);
});

const make = (): Readable => Readable.from(['own']);
const replaced: [string, () => OptionsInit][] = [
  ['a stream', () => ({ body: make() })],
  ['a string', () => ({ body: 'own' })],
  ['a stream with a factory', () => ({ body: make(), context: { unexpired: { body: make } } })],
];

test.each(replaced)('%s that a handler replaced by a stream is sent once', async (_, init) => {
  const replace: HandlerFunction = (options, next) => {
    options.body = Readable.from(['other']);
    return next(options);
  };
  const scene = await refusedScene({ after: { handlers: [replace] } });

  const error = await errorOf(scene.client.post(scene.api.origin, init()));

  expect(explain401(error)?.reason).toBe('body-spent');
  expect(bodies(scene)).toEqual(['other']);
});

test('a factory that makes nothing fails the request', async () => {
  const scene = await refusedScene();
  const init = { body: Readable.from(['own']), context: { unexpired: { body: () => undefined } } };

  const error = await errorOf(scene.client.post(scene.api.origin, init));

  expect(error.message).toMatch(/consumed body stream/);
  expect(bodies(scene)).toEqual(['own']);
});
