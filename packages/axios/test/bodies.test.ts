import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { explain401 } from '@unexpired/core';
import { multipartParts, type ResourceServer } from '@unexpired/testing';
import PackageFormData from 'form-data';
import { reasonsOf, statuses } from '../../../test/world.ts';
import { errorOf, keepAliveAgent, openScene } from './scene.ts';

const bodies = ({ requests }: ResourceServer): string[] => requests.map(({ body }) => body.toString());

function chunks(): AsyncGenerator<Buffer> {
  return (async function* () {
    yield Buffer.from('first, ');
    await setImmediate();
    yield Buffer.from('second');
  })();
}

const nodeStream = (): Readable => Readable.from(chunks(), { objectMode: false });
const webStream = (): unknown => Readable.toWeb(nodeStream());

test('a stream body arrives whole on both attempts', async () => {
  const { api, authorization, client } = await openScene();
  authorization.revokeAccessTokens();

  await client.put('/file', nodeStream());

  expect(statuses(api)).toEqual([401, 200]);
  expect(bodies(api)).toEqual(['first, second', 'first, second']);
});

test.each(['node stream', 'web stream'])(
  'the fetch adapter sends a %s whole on both attempts',
  async (kind) => {
    const { api, authorization, client } = await openScene({ client: { adapter: 'fetch' } });
    authorization.revokeAccessTokens();

    await client.put('/file', kind === 'web stream' ? webStream() : nodeStream());

    expect(statuses(api)).toEqual([401, 200]);
    expect(bodies(api)).toEqual(['first, second', 'first, second']);
  },
);

test('a generator that a transform lets through is sent whole on both attempts by the fetch adapter', async () => {
  const { api, authorization, client } = await openScene({
    client: { adapter: 'fetch', transformRequest: [] },
  });
  authorization.revokeAccessTokens();

  await client.put('/file', chunks());

  expect(bodies(api)).toEqual(['first, second', 'first, second']);
});

test('a stream that is longer than what is kept is not sent again, and its 401 says how to have it sent', async () => {
  const { api, authorization, client, events } = await openScene({ source: { limits: { replayBytes: 8 } } });
  authorization.revokeAccessTokens();

  const error = await errorOf(client.put('/file', nodeStream()));

  expect(error.response?.status).toBe(401);
  expect(error.message).toMatch(/^Request failed with status code 401\. .*`unexpired\.body`/);
  expect(explain401(error)).toMatchObject({ reason: 'body-spent' });
  expect(reasonsOf(events, 'not-replayed')).toEqual(['body-spent']);
  expect(bodies(api)).toEqual(['first, second']);
});

test('a stream whose declared length is more than is kept is sent without a recording', async () => {
  const { api, authorization, client } = await openScene({ source: { limits: { replayBytes: 8 } } });
  authorization.revokeAccessTokens();
  const stream = nodeStream();
  let piped = false;
  stream.on('resume', () => {
    piped = stream.listenerCount('data') > 0;
  });

  const headers = { 'Content-Length': '13' };
  const error = await errorOf(client.put('/file', stream, { headers }));

  expect(error.response?.status).toBe(401);
  expect(piped).toBe(true);
  expect(bodies(api)).toEqual(['first, second']);
});

test('the 401 of an npm form-data body reaches the caller, who need not wait for a replay that never ends', async () => {
  const { api, authorization, client } = await openScene();
  authorization.revokeAccessTokens();
  const form = new PackageFormData();
  form.append('name', 'value');
  form.append('file', Readable.from(['content']), { filename: 'a.txt', knownLength: 7 });

  const error = await errorOf(client.post('/form', form));

  expect(error.response?.status).toBe(401);
  expect(error.message).toContain('`unexpired.body`');
  expect(statuses(api)).toEqual([401]);
  expect(multipartParts(api.requests[0]!).map(({ body }) => body.toString())).toEqual(['value', 'content']);
});

test('npm form-data from a factory is sent again under its own boundary', async () => {
  const { api, authorization, client } = await openScene();
  authorization.revokeAccessTokens();
  const makeForm = (): PackageFormData => {
    const form = new PackageFormData();
    form.append('file', Readable.from(['content']), { filename: 'a.txt', knownLength: 7 });
    return form;
  };
  const form = makeForm();

  await client.post('/form', form, { headers: form.getHeaders(), unexpired: { body: makeForm } });

  expect(statuses(api)).toEqual([401, 200]);
  const [sent, again] = api.requests.map((request) => multipartParts(request));
  expect(again).toEqual(sent);
  expect(api.requests[0]?.headers['content-type']).not.toBe(api.requests[1]?.headers['content-type']);
});

test.each(['http', 'fetch'])('a multipart replay of the %s adapter has the same parts', async (adapter) => {
  const { api, authorization, client } = await openScene({ client: { adapter } });
  authorization.revokeAccessTokens();
  const form = new FormData();
  form.append('name', 'välue');
  form.append('file', new File(['content'], 'a.txt', { type: 'text/plain' }));

  await client.post('/form', form, { headers: { 'Content-Type': 'multipart/form-data' } });

  expect(statuses(api)).toEqual([401, 200]);
  const [sent, again] = api.requests.map((request) => multipartParts(request));
  expect(sent).toHaveLength(2);
  expect(again).toEqual(sent);
});

test('postForm of plain values is sent again with the same parts', async () => {
  const { api, authorization, client } = await openScene();
  authorization.revokeAccessTokens();

  await client.postForm(
    '/form',
    { name: 'value', list: [1, 2] },
    { unexpired: { body: () => ({ name: 'value', list: [1, 2] }) } },
  );

  expect(statuses(api)).toEqual([401, 200]);
  const [sent, again] = api.requests.map((request) => multipartParts(request));
  expect(again).toEqual(sent);
});

test('a transform that is not idempotent runs once', async () => {
  const { api, authorization, client } = await openScene();
  authorization.revokeAccessTokens();
  const envelope = (data: unknown): string => JSON.stringify({ envelope: data });

  await client.post('/items', 'payload', { transformRequest: envelope });

  expect(bodies(api)).toEqual(['{"envelope":"payload"}', '{"envelope":"payload"}']);
});

test('the body of a factory goes through the transforms as the first one did', async () => {
  const { api, authorization, client } = await openScene();
  authorization.revokeAccessTokens();
  const seen: unknown[] = [];
  const envelope = (data: unknown): string => {
    seen.push(data);
    return JSON.stringify({ envelope: data });
  };

  await client.post('/items', 1, { transformRequest: envelope, unexpired: { body: () => 2 } });

  expect(seen).toEqual([1, 2]);
  expect(bodies(api)).toEqual(['{"envelope":1}', '{"envelope":2}']);
});

test('objects from a factory are serialized like any data', async () => {
  const { api, authorization, client } = await openScene();
  authorization.revokeAccessTokens();

  await client.post('/items', { attempt: 1 }, { unexpired: { body: async () => ({ attempt: 2 }) } });

  expect(bodies(api)).toEqual(['{"attempt":1}', '{"attempt":2}']);
  expect(api.requests.map(({ headers }) => headers['content-type'])).toEqual([
    'application/json',
    'application/json',
  ]);
});

test.each([
  ['longer', 'a body that is longer'],
  ['shorter', '.'],
])('a factory may return a %s body on a kept connection', async (_, second) => {
  const { api, authorization, client } = await openScene({ client: { httpAgent: keepAliveAgent() } });
  authorization.revokeAccessTokens();

  await client.post('/items', 'the first body', {
    headers: { 'Content-Length': '14' },
    unexpired: { body: () => second },
  });
  await client.get('/after');

  expect(api.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
    'POST /items',
    'POST /items',
    'GET /after',
  ]);
  expect(bodies(api)).toEqual(['the first body', second, '']);
  expect(statuses(api)).toEqual([401, 200, 200]);
  expect(api.connections).toBe(1);
});

test('a factory is called once, and not without a 401', async () => {
  const { authorization, client } = await openScene();
  let calls = 0;
  const unexpired = { body: () => `body ${(calls += 1)}` };

  await client.post('/items', 'body 0', { unexpired });
  expect(calls).toBe(0);
  authorization.revokeAccessTokens();
  await client.post('/items', 'body 0', { unexpired });

  expect(calls).toBe(1);
});

test('what a factory throws is what the caller gets', async () => {
  const { api, authorization, client } = await openScene();
  authorization.revokeAccessTokens();
  const failure = new Error('The file is gone.');

  const error = await errorOf(
    client.post('/items', 'body', {
      unexpired: {
        body() {
          throw failure;
        },
      },
    }),
  );

  expect(error).toBe(failure);
  expect(statuses(api)).toEqual([401]);
});

/** A source of 4 MiB of which a test can tell how much was read. */
function upload(): Readable & { bytes: number } {
  const chunk = Buffer.alloc(64 * 1024, 'x');
  let left = 64;
  const stream = new Readable({
    read() {
      left -= 1;
      this.push(left < 0 ? null : chunk);
    },
  });
  return Object.assign(stream, { bytes: 64 * chunk.length });
}

test.each([
  ['chunked', {}],
  ['of declared length', { 'Content-Length': String(64 * 64 * 1024) }],
])(
  'an upload %s that is refused while it goes on is sent again whole, on no half-used connection',
  async (_, headers) => {
    const httpAgent = keepAliveAgent();
    const source = { limits: { replayBytes: 8 * 1024 * 1024 } };
    const { api, authorization, client } = await openScene({
      source,
      client: { httpAgent, maxRedirects: 0 },
    });
    authorization.revokeAccessTokens();
    api.next({ early: true });
    const body = upload();

    const response = await client.put('/file', body, { headers });

    expect(response.data).toMatchObject({ method: 'PUT', length: body.bytes });
    expect(api.requests.map(({ method }) => method)).toEqual(['PUT', 'PUT']);
    await client.get('/after');
    expect(api.requests.map(({ method }) => method)).toEqual(['PUT', 'PUT', 'GET']);
  },
);
