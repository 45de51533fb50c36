import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { undiciAuth } from '@unexpired/undici';
import { interceptors, type Dispatcher } from 'undici';
import { bodyOf, openWorld, rejectionOf, statuses, texts } from '../../../test/world.ts';
import { openAgent, openScene, sendBy } from './scene.ts';

type Interceptor = Dispatcher.DispatcherComposeInterceptor;

/** The first dispatch fails before anything of it is read. */
function failOnce(): Interceptor {
  let isFirst = true;
  return (dispatch) => (opts, handler) => {
    if (!isFirst) return dispatch(opts, handler);
    isFirst = false;
    handler.onResponseError?.(null as never, Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
    return true;
  };
}

async function* generate(): AsyncGenerator<Buffer> {
  yield Buffer.from('te');
  yield Buffer.from('xt');
}

test.each([
  ['a stream', () => Readable.from(generate())],
  ['a generator', generate],
])('%s that nobody has read yet survives a retry, and a 401 after it', async (_, make) => {
  const { api, authorization, tokens } = await openWorld();
  authorization.revokeAccessTokens();
  const retry = interceptors.retry({ minTimeout: 1 });
  const dispatcher = openAgent().compose(failOnce(), undiciAuth(tokens), retry);

  const { status } = await sendBy(dispatcher, api.origin, { method: 'PUT', body: make() });

  expect(status).toBe(200);
  expect(statuses(api)).toEqual([401, 200]);
  expect(texts(api)).toEqual(['text', 'text']);
});

test('retries of an unread stream leave no listeners on it', async () => {
  const { tokens, api } = await openWorld();
  const body = Readable.from(generate());
  const counts: number[] = [];
  const count: Interceptor = (dispatch) => (opts, handler) => {
    counts.push(body.listenerCount('error'));
    return dispatch(opts, handler);
  };
  const retry = interceptors.retry({ minTimeout: 1 });
  const dispatcher = openAgent().compose(failOnce(), undiciAuth(tokens), count, retry);

  await sendBy(dispatcher, api.origin, { method: 'PUT', body });

  expect(counts).toHaveLength(2);
  expect(counts[1]).toBe(counts[0]);
});

test('a stream that fails before it is read fails the request', async () => {
  const { api, send } = await openScene({ agent: { connections: 1 } });
  api.next({ hold: 'answer' });
  const busy = send('/');
  await api.requestArrived();
  const body = new Readable({ read() {} });
  const sent = rejectionOf(send('/', { method: 'POST', body }));

  body.destroy(new Error('the disk is gone'));

  expect((await sent).message).toBe('the disk is gone');
  api.release();
  await busy;
  await send('/');
  expect(api.requests).toHaveLength(2);
});

test('a body of a declared length is sent with it, twice', async () => {
  const { api, authorization, send } = await openScene();
  authorization.revokeAccessTokens();

  await send('/', { method: 'POST', body: generate() as never, headers: { 'Content-Length': '4' } });

  expect(api.requests.map(bodyOf)).toMatchObject([{ length: '4' }, { length: '4' }]);
});

test('the length of a body before goes with it', async () => {
  const { api, authorization, send } = await openScene();
  authorization.revokeAccessTokens();

  const { status } = await send('/', {
    method: 'POST',
    body: generate() as never,
    headers: { 'Content-Length': '4' },
    unexpired: { body: () => 'a longer text' },
  });

  expect(status).toBe(200);
  expect(texts(api)).toEqual(['text', 'a longer text']);
});

test('a due access token is not waited for with a short body of a declared length', async () => {
  const { api, tokens, authorization, first, send } = await openScene();
  // Below the threshold, above the leeway.
  await tokens.signIn({ ...first, expires_in: 62 });
  authorization.next({ hold: 'answer' });
  const options = { method: 'POST', body: generate() as never } as const;

  await send('/', { ...options, headers: { 'Content-Length': '4' } });

  expect(api.requests).toHaveLength(1);
  authorization.release();
});
