import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from '@jest/globals';
import { createTokenSource } from '@unexpired/core';
import { undiciAuth } from '@unexpired/undici';
import { MockAgent, request } from 'undici';
import { afterwards, rejectionOf, statuses } from '../../../test/world.ts';
import { openAgent, openScene, sendBy, serve } from './scene.ts';

const long = 'x'.repeat(1_000_000);

const first = { access_token: 'first', expires_in: 3600 };
const second = { access_token: 'second', expires_in: 3600 };

test.each([401, 403, 500])(
  'an answer %i that is handed on arrives whole, and as fast as it is read',
  async (status) => {
    const { api, send } = await openScene();
    api.always({
      respond: { status, body: long, headers: { 'X-Mine': 'kept', 'WWW-Authenticate': 'Basic' } },
    });

    const answer = await send('/');

    expect([answer.status, answer.text.length, answer.headers['x-mine']]).toEqual([
      status,
      long.length,
      'kept',
    ]);
    expect(api.requests).toHaveLength(1);
  },
);

test('a 401 that is refused again arrives whole', async () => {
  const { api, send } = await openScene();
  api.always({ respond: { status: 401, body: long } });

  const answer = await send('/');

  expect([answer.status, answer.text.length]).toEqual([401, long.length]);
  expect(api.requests).toHaveLength(2);
});

test('a 401 whose refresh fails late arrives whole', async () => {
  const { api, authorization, send } = await openScene();
  api.always({ respond: { status: 401, body: long } });
  authorization.next({ hold: 'answer', respond: { status: 400, body: { error: 'invalid_grant' } } });
  const sent = send('/');
  await authorization.requestArrived();
  await new Promise(setImmediate);
  authorization.release();

  const answer = await sent;

  expect([answer.status, answer.text.length]).toEqual([401, long.length]);
});

test('an answer that is read slowly waits for its reader', async () => {
  const { api, dispatcher } = await openScene();
  const sent = 'x'.repeat(8_000_000);
  api.always({ respond: { status: 401, body: sent, headers: { 'WWW-Authenticate': 'Basic' } } });
  const { body } = await request(api.origin, { dispatcher });
  let length = 0;

  for await (const chunk of body) {
    length += (chunk as Buffer).length;
    await new Promise(setImmediate);
  }

  expect(length).toBe(sent.length);
});

test('the rest of a 401 that is answered with a replay is not waited for', async () => {
  const { api, send } = await openScene();
  api.next({ hold: 'body', respond: { status: 401, body: { error: 'invalid_token' } } });

  expect((await send('/')).status).toBe(200);
  expect(api.held).toBe(1);
  api.release();
});

test('an answer that comes in one piece, as mocks give it, is handed on whole', async () => {
  const agent = new MockAgent();
  agent.disableNetConnect();
  afterwards(() => agent.close());
  const origin = 'https://api.example.com';
  const tokens = createTokenSource({ origins: [origin], tokens: first, refresh: () => second });
  afterwards(() => tokens.close());
  const headers = { 'WWW-Authenticate': 'Basic' };
  agent.get(origin).intercept({ path: '/' }).reply(401, long, { headers });

  const answer = await sendBy(agent.compose(undiciAuth(tokens)), origin);

  expect([answer.status, answer.text.length]).toEqual([401, long.length]);
});

/** Refuses the first request, with a body that has no end; answers the second when `until` resolves. */
async function serveEndless(bytes: number, until: (closed: Promise<void>) => unknown) {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const { origin } = await serve(async ({ headers: { authorization } }, response) => {
    if (authorization === `Bearer ${first.access_token}`) {
      response.on('close', resolve).writeHead(401).write('x'.repeat(bytes));
      return;
    }
    await until(closed);
    response.end();
  });
  const tokens = createTokenSource({ origins: [origin], tokens: first, refresh: () => second });
  afterwards(() => tokens.close());
  return { origin, closed, dispatcher: openAgent().compose(undiciAuth(tokens)) };
}

test('the rest of a 401 is given up when the replay is answered', async () => {
  const { origin, closed, dispatcher } = await serveEndless(10, () => undefined);

  expect((await sendBy(dispatcher, origin)).status).toBe(200);
  await closed;
});

test('the rest of a 401 is given up when it is too long', async () => {
  const { origin, dispatcher } = await serveEndless(1_000_000, (closed) => closed);

  expect((await sendBy(dispatcher, origin)).status).toBe(200);
});

test('a connection that breaks in the middle of a 401 does not harm the replay', async () => {
  const { api, send } = await openScene();
  api.next({ reset: 'body', respond: { status: 401, body: long } });

  expect((await send('/')).status).toBe(200);
});

test('a connection that breaks in the middle of a 401 that is handed on fails the body', async () => {
  const { api, send } = await openScene();
  const headers = { 'WWW-Authenticate': 'Basic' };
  api.next({ reset: 'body', respond: { status: 401, body: long, headers } });

  await expect(send('/')).rejects.toThrow('other side closed');
});

test('a refresh that goes through the same pool is not locked out by the 401s that wait for it', async () => {
  const { api, authorization } = await openScene();
  const agent = openAgent({ connections: 1 });
  const first = await authorization.signIn();
  const second = await authorization.signIn();
  const tokens = createTokenSource({
    origins: [api.origin],
    tokens: first,
    async refresh() {
      await sendBy(agent, `${api.origin}/refresh`, {
        headers: { authorization: `Bearer ${second.access_token}` },
      });
      return second;
    },
  });
  afterwards(() => tokens.close());
  authorization.revokeGrant(first.access_token);
  const dispatcher = agent.compose(undiciAuth(tokens));

  expect((await sendBy(dispatcher, api.origin)).status).toBe(200);
});

test('trailers and early hints reach the caller', async () => {
  const { origin } = await serve((_, response) => {
    response.writeEarlyHints({ link: '</style.css>' });
    response.writeHead(200, { Trailer: 'X-Sum' });
    response.write('text');
    response.addTrailers({ 'X-Sum': '4' });
    response.end();
  });
  const tokens = createTokenSource({ origins: [origin], tokens: first, refresh: () => first });
  afterwards(() => tokens.close());
  const seen: unknown[] = [];

  const dispatcher = openAgent().compose(undiciAuth(tokens));
  const answer = await sendBy(dispatcher, origin, { onInfo: (info: unknown) => seen.push(info) });

  expect(answer.trailers).toEqual({ 'x-sum': '4' });
  expect(seen).toMatchObject([{ statusCode: 103 }]);
});

test('raw headers reach the caller who wants them', async () => {
  const { api, authorization, send } = await openScene();
  authorization.revokeAccessTokens();
  api.always({ headers: { 'X-Mine': 'kept' } });

  const { headers } = await send('/', { responseHeaders: 'raw' });

  expect(Object.values(headers)).toContain('X-Mine');
});

test('stream and pipeline get the answer to the replay', async () => {
  const { api, authorization, dispatcher } = await openScene();
  const { origin } = api;
  authorization.revokeAccessTokens();
  const into = new PassThrough();
  await dispatcher.stream({ origin, path: '/', method: 'POST', body: 'text' }, () => into);
  expect(JSON.parse(await text(into))).toMatchObject({ length: 4 });

  authorization.revokeAccessTokens();
  const through = dispatcher.pipeline({ origin, path: '/', method: 'PUT' }, ({ body }) => body);
  through.write('te');
  await api.requestArrived(2);
  through.end('xt');

  expect(JSON.parse(await text(through))).toMatchObject({ length: 4 });
  expect(statuses(api)).toEqual([401, 200, 401, 200]);
});

test('a handler that throws fails its own request', async () => {
  const { api, dispatcher, send } = await openScene();
  api.next(401, 401);
  const failing = dispatcher.stream({ origin: api.origin, path: '/', method: 'GET' }, () => {
    throw new Error('no room');
  });

  expect((await rejectionOf(failing)).message).toBe('no room');
  expect((await send('/')).status).toBe(200);
});

test('an upgrade carries the access token, once more after a 401', async () => {
  const seen: unknown[] = [];
  const { origin, server } = await serve((incoming, response) => response.end(incoming.url));
  server.on('upgrade', (incoming, socket) => {
    seen.push(incoming.headers.authorization);
    if (incoming.headers.authorization === `Bearer ${second.access_token}`) {
      socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n');
    } else socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n');
  });
  const tokens = createTokenSource({ origins: [origin], tokens: first, refresh: () => second });
  afterwards(() => tokens.close());

  const dispatcher = openAgent().compose(undiciAuth(tokens));
  const { socket } = await dispatcher.upgrade({ origin, path: '/', protocol: 'echo' } as never);

  socket.destroy();
  expect(seen).toEqual([`Bearer ${first.access_token}`, `Bearer ${second.access_token}`]);
});

test.each(['example.com:443', '/'])('a tunnel to %s is opened without the access token', async (path) => {
  let seen: unknown;
  const { origin, server } = await serve((_, response) => response.end());
  server.on('connect', (incoming, socket) => {
    seen = incoming.headers;
    socket.end('HTTP/1.1 200 OK\r\n\r\n');
  });
  const tokens = createTokenSource({ origins: [origin], tokens: first, refresh: () => first });
  afterwards(() => tokens.close());

  const dispatcher = openAgent().compose(undiciAuth(tokens));
  const { socket } = await dispatcher.connect({ origin, path });

  socket.destroy();
  expect(seen).not.toHaveProperty('authorization');
});
