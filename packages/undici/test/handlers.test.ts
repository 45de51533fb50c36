import { expect, test } from '@jest/globals';
import { createTokenSource } from '@unexpired/core';
import { undiciAuth } from '@unexpired/undici';
import { MockAgent, type Dispatcher } from 'undici';
import { afterwards } from '../../../test/world.ts';
import { openScene } from './scene.ts';

type Controller = Dispatcher.DispatchController;

test('a handler that throws as it begins to wait for an access token fails, and nothing is sent', async () => {
  const { api, dispatcher, tokens } = await openScene();
  const { promise: failed, resolve } = Promise.withResolvers<Error>();
  dispatcher.dispatch(
    { origin: api.origin, path: '/', method: 'GET' },
    {
      onRequestStart() {
        throw new Error('no room');
      },
      onResponseError: (_, error) => resolve(error),
    },
  );

  expect((await failed).message).toBe('no room');
  await tokens.getAccessToken();
  expect(api.requests).toHaveLength(0);
});

test('who pauses before anything is sent gets no data until it resumes', async () => {
  const { api, dispatcher } = await openScene();
  api.next(401);
  const seen: string[] = [];
  const { promise: started, resolve: start } = Promise.withResolvers<Controller>();
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  dispatcher.dispatch(
    { origin: api.origin, path: '/', method: 'GET' },
    {
      onRequestStart: (controller) => controller.pause(),
      onResponseStart(controller, status) {
        seen.push(`${status}`);
        setImmediate(() => setImmediate(start, controller));
      },
      onResponseData: ({ paused }) => void seen.push(paused ? 'too early' : 'data'),
      onResponseEnd: () => end(),
      onResponseError: () => undefined,
    },
  );

  (await started).resume();
  await ended;
  expect(seen).toEqual(['200', 'data']);
});

/** What a handler is told of a 401 that had arrived whole before it was decided that the caller gets it. */
async function toldOfHeld(act: (event: string, controller: Controller) => void): Promise<string[]> {
  const agent = new MockAgent();
  agent.disableNetConnect();
  afterwards(() => agent.close());
  const origin = 'https://api.example.com';
  const tokens = createTokenSource({
    origins: [origin],
    tokens: { access_token: 'first', expires_in: 3600 },
    refresh: () => ({ access_token: 'second', expires_in: 3600 }),
  });
  afterwards(() => tokens.close());
  const headers = { 'WWW-Authenticate': 'Basic' };
  agent.get(origin).intercept({ path: '/' }).reply(401, 'text', { headers });
  const told: string[] = [];
  const { promise: over, resolve } = Promise.withResolvers<unknown>();
  const tell = (event: string) => (controller: Controller) => {
    act(event, controller);
    told.push(event);
    if (event === 'end' || event === 'error') setImmediate(resolve);
  };
  agent.compose(undiciAuth(tokens)).dispatch(
    { origin, path: '/', method: 'GET' },
    {
      onRequestStart: () => undefined,
      onResponseStart: tell('start'),
      onResponseData: tell('data'),
      onResponseEnd: tell('end'),
      onResponseError: tell('error'),
    },
  );
  await over;
  return told;
}

test('who aborts while it is told of an answer is told nothing more of it', async () => {
  const told = await toldOfHeld((event, controller) => {
    if (event === 'start') controller.abort(new Error('enough'));
  });

  expect(told).toEqual(['error', 'start']);
});

test('who resumes while it is told of an answer is told the rest afterwards', async () => {
  const told = await toldOfHeld((_, controller) => {
    controller.pause();
    controller.resume();
  });

  expect(told).toEqual(['start', 'data', 'end']);
});

test('who aborts at the end of an answer is told of no error', async () => {
  const { api, dispatcher } = await openScene();
  const told: string[] = [];
  const { promise: ended, resolve: end } = Promise.withResolvers<unknown>();
  dispatcher.dispatch(
    { origin: api.origin, path: '/', method: 'GET' },
    {
      onRequestStart: () => undefined,
      onResponseEnd(controller) {
        told.push('end');
        controller.abort(new Error('too late'));
        setImmediate(end);
      },
      onResponseError: () => void told.push('error'),
    },
  );

  await ended;
  expect(told).toEqual(['end']);
});

interface Refused {
  /** What undici's own controller was asked for. */
  readonly asked: string[];
  readonly told: string[];
  /** The caller's, which it has paused as it was told of the 401. */
  readonly controller: Controller;
}

/** A 401 that is handed on as soon as it has begun; `rest` brings the rest of it at once, or later. */
async function refused(
  rest: (native: Controller, handler: Dispatcher.DispatchHandler) => void,
): Promise<Refused> {
  const origin = 'https://api.example.com';
  const tokens = createTokenSource({
    origins: [origin],
    tokens: { access_token: 'first', expires_in: 3600 },
    refresh: () => ({ access_token: 'second' }),
  });
  afterwards(() => tokens.close());
  const asked: string[] = [];
  const told: string[] = [];
  const native = {
    pause: () => asked.push('pause'),
    resume: () => asked.push('resume'),
  } as unknown as Controller;
  const { promise: started, resolve: start } = Promise.withResolvers<Controller>();
  const send = undiciAuth(tokens)((_, handler) => {
    handler.onRequestStart?.(native, null);
    handler.onResponseStart?.(native, 401, { 'www-authenticate': 'Basic' });
    rest(native, handler);
    return true;
  });
  send(
    { origin, path: '/', method: 'GET' },
    {
      onRequestStart: () => undefined,
      onResponseStart(controller) {
        controller.pause();
        setImmediate(() => setImmediate(start, controller));
      },
      onResponseData: () => void told.push('data'),
      onResponseEnd: () => void told.push('end'),
      onResponseError: () => undefined,
    },
  );
  return { asked, told, controller: await started };
}

test('who resumes an answer whose connection serves another by now resumes only its own', async () => {
  const { asked, told, controller } = await refused((native, handler) => handler.onResponseEnd?.(native, {}));

  controller.resume();

  expect(told).toEqual(['end']);
  expect(asked).not.toContain('resume');
});

test('who pauses as it is told of a 401 gets no data until it resumes', async () => {
  const { asked, told, controller } = await refused((native, handler) => {
    setImmediate(() => handler.onResponseData?.(native, Buffer.from('text')));
  });

  expect(told).toEqual([]);
  controller.resume();
  expect(told).toEqual(['data']);
  expect(asked.at(-1)).toBe('resume');
});
