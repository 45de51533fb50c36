import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { beforeEach, expect, test } from '@jest/globals';
import { createTokenSource } from '@unexpired/core';
import { fetchAuth } from '@unexpired/fetch';
import { openWorld, statuses, type World } from '../../../test/world.ts';

let scene: World;

beforeEach(async () => {
  scene = await openWorld();
});

test('sends to the URL that it was called with, whatever becomes of the object', async () => {
  const { api, elsewhere, tokens } = scene;
  const url = new URL('/page', api.origin);

  const sent = fetchAuth(tokens)(url);
  url.href = `${elsewhere.origin}/stolen`;
  await sent;

  expect(api.requests.map((request) => request.url)).toEqual(['/page']);
  expect(elsewhere.requests).toEqual([]);
});

test('sends the init that it was called with, whatever becomes of the object', async () => {
  const { api, tokens } = scene;
  const init = { method: 'POST', body: 'first' };

  const sent = fetchAuth(tokens)(`${api.origin}/item`, init);
  init.body = 'second';
  await sent;

  expect(api.requests.map(({ body }) => body.toString())).toEqual(['first']);
});

test('sends headers that can be read once, also where it adds nothing', async () => {
  const { elsewhere, tokens } = scene;
  const headers = new Headers({ authorization: 'Bearer mine', 'x-mine': 'kept' }).entries();

  await fetchAuth(tokens)(elsewhere.origin, { headers: headers as unknown as HeadersInit });

  expect(elsewhere.requests[0]?.headers).toMatchObject({ authorization: 'Bearer mine', 'x-mine': 'kept' });
});

test('sends the headers that it was called with to other origins, too', async () => {
  const { elsewhere, tokens } = scene;
  const headers = { 'x-mine': 'first' };

  const sent = fetchAuth(tokens)(elsewhere.origin, { headers });
  headers['x-mine'] = 'second';
  await sent;

  expect(elsewhere.requests[0]?.headers).toMatchObject({ 'x-mine': 'first' });
});

test('takes the bytes of a body at the call, as fetch does, while the token is fresh', async () => {
  const { api, tokens } = scene;
  await tokens.getAccessToken();
  const body = new Uint8Array([65, 65]);

  const sent = fetchAuth(tokens)(`${api.origin}/item`, { method: 'POST', body });
  body.fill(66);
  await sent;

  expect(api.requests.map((request) => request.body.toString())).toEqual(['AA']);
});

test('sends the inherited members of init', async () => {
  const { api, tokens } = scene;
  const init = Object.create({ method: 'POST', body: 'inherited' }) as RequestInit;

  await fetchAuth(tokens)(`${api.origin}/item`, init);

  expect(api.requests.map(({ method, body }) => [method, body.toString()])).toEqual([['POST', 'inherited']]);
});

test('an abort is noticed while the resolver is waited for', async () => {
  const leaving = new AbortController();
  const authFetch = fetchAuth(() => new Promise(() => undefined));

  const sent = authFetch(scene.api.origin, { signal: leaving.signal });
  leaving.abort(new Error('left'));

  await expect(sent).rejects.toThrow('left');
});

test('an abort is noticed while the factory is waited for', async () => {
  const { api, authorization, tokens } = scene;
  authorization.revokeAccessTokens();
  const leaving = new AbortController();
  const asked = Promise.withResolvers<void>();
  const body = (): Promise<never> => {
    asked.resolve();
    return new Promise(() => undefined);
  };

  const sent = fetchAuth(tokens)(api.origin, {
    method: 'POST',
    body: 'text',
    signal: leaving.signal,
    unexpired: { body },
  });
  await asked.promise;
  leaving.abort(new Error('left'));

  await expect(sent).rejects.toThrow('left');
  expect(statuses(api)).toEqual([401]);
});

/** Refuses the first request with a body that never ends. */
async function createEndlessRefusal(): Promise<{ server: Server; origin: string; closed: Promise<unknown> }> {
  let requests = 0;
  const closing = Promise.withResolvers<unknown>();
  const server = createServer((_, response) => {
    requests += 1;
    if (requests > 1) return response.end('done');
    response.on('close', () => closing.resolve(undefined));
    response.writeHead(401, { 'content-length': '100' });
    response.write('x');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { server, origin: `http://127.0.0.1:${port}`, closed: closing.promise };
}

test('a refusal whose body never ends keeps no connection', async () => {
  const { server, origin, closed } = await createEndlessRefusal();
  let issued = 0;
  const tokens = createTokenSource({
    origins: [origin],
    refresh: () => ({ access_token: `access-${(issued += 1)}`, expires_in: 3600 }),
  });

  const response = await fetchAuth(tokens)(origin);

  expect(await response.text()).toBe('done');
  await closed;
  server.closeAllConnections();
  server.close();
  await tokens.close();
});
