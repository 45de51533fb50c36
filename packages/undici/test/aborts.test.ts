import { EventEmitter } from 'node:events';
import { PassThrough, Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, test } from '@jest/globals';
import { undiciAuth } from '@unexpired/undici';
import { fetch, type Agent } from 'undici';
import { openWorld, rejectionOf, statuses, type World } from '../../../test/world.ts';
import { openAgent, openAgent7, openScene, sendBy } from './scene.ts';

interface Sent {
  readonly agent: Agent;
  readonly origin: string;
  readonly signal: AbortSignal;
}

const ways: [string, (sent: Sent) => Promise<unknown>][] = [
  ['request', ({ agent, origin, signal }) => sendBy(agent, origin, { signal })],
  [
    'stream',
    ({ agent, origin, signal }) =>
      agent.stream({ origin, path: '/', method: 'GET', signal }, () => new PassThrough()),
  ],
  [
    'pipeline',
    ({ agent, origin, signal }) => {
      const through = agent.pipeline({ origin, path: '/', method: 'PUT', signal }, ({ body }) => body);
      return pipeline(Readable.from(['text']), through, new Writable({ write: (_, __, done) => done() }));
    },
  ],
  ['fetch', ({ agent, origin, signal }) => fetch(origin, { dispatcher: agent, signal })],
];

const agents: [string, () => Agent][] = [
  ['undici 8', openAgent],
  ['undici 7', openAgent7],
];
const places = agents.flatMap(([version, open]) =>
  ways
    .filter(([name]) => version === 'undici 8' || name !== 'fetch')
    .map(([name, send]) => [`${name} of ${version}`, send, open] as const),
);

async function heldWorld(prepare: (world: World) => unknown): Promise<World> {
  const world = await openWorld({ source: { limits: { exchangeMs: 2 ** 31 - 1, flightMs: 2 ** 31 - 1 } } });
  world.authorization.next({ hold: 'answer' });
  await prepare(world);
  return world;
}

describe.each(places)('%s', (_, send, open) => {
  test('an abort while it waits for an access token ends it at once, and nothing is sent', async () => {
    const world = await heldWorld(({ tokens, first }) =>
      tokens.signIn({ refresh_token: first.refresh_token, access_token: 'x', expires_in: 0 }),
    );
    const { api, tokens, authorization } = world;
    const controller = new AbortController();
    const agent = open().compose(undiciAuth(tokens)) as Agent;
    const sent = rejectionOf(send({ agent, origin: api.origin, signal: controller.signal }));
    await authorization.requestArrived();

    controller.abort();

    expect((await sent).name).toBe('AbortError');
    expect(authorization.held).toBe(1);
    authorization.release();
    await tokens.getAccessToken();
    expect(api.requests).toHaveLength(0);
  });

  test('an abort while its 401 is answered ends it at once, and nothing more is sent', async () => {
    const { api, tokens, authorization } = await heldWorld((world) =>
      world.authorization.revokeAccessTokens(),
    );
    const controller = new AbortController();
    const agent = open().compose(undiciAuth(tokens)) as Agent;
    const sent = rejectionOf(send({ agent, origin: api.origin, signal: controller.signal }));
    await authorization.requestArrived();

    controller.abort();

    expect((await sent).name).toBe('AbortError');
    expect(authorization.held).toBe(1);
    authorization.release();
    await tokens.getAccessToken();
    expect(statuses(api)).toEqual([401]);
  });
});

test('an abort while the replay waits for a connection ends it at once', async () => {
  const { api, tokens, authorization, dispatcher, send } = await openScene({ agent: { connections: 1 } });
  authorization.revokeAccessTokens();
  authorization.next({ hold: 'answer' });
  const controller = new AbortController();
  const sent = rejectionOf(sendBy(dispatcher, api.origin, { signal: controller.signal }));
  await authorization.requestArrived();
  api.next({ hold: 'answer' });
  const busy = send('/', { unexpired: { skip: true } });
  await api.requestArrived(2);
  authorization.release();
  await tokens.getAccessToken();
  await new Promise(setImmediate);

  controller.abort(new Error('enough'));

  expect((await sent).message).toBe('enough');
  api.release();
  await busy;
  await send('/');
  expect(statuses(api)).toEqual([401, 401, 200]);
});

test('a signal that is aborted before the call sends nothing', async () => {
  const { api, tokens, send } = await openScene();
  await tokens.signIn({ access_token: 'x', expires_in: 0 });

  const error = await rejectionOf(send('/', { signal: AbortSignal.abort(new Error('enough')) }));

  expect(error.message).toBe('enough');
  expect(api.requests).toHaveLength(0);
});

test('an EventEmitter for a signal ends the wait too', async () => {
  const { authorization, send } = await openScene();
  authorization.revokeAccessTokens();
  authorization.next({ hold: 'answer' });
  const signal = new EventEmitter();
  const sent = rejectionOf(send('/', { signal }));
  await authorization.requestArrived();

  signal.emit('abort');

  expect((await sent).name).toBe('AbortError');
  authorization.release();
});

test('a stream that fails while an access token is waited for fails the request', async () => {
  const { api, authorization, tokens, first, send } = await openScene();
  await tokens.signIn({ refresh_token: first.refresh_token, access_token: 'x', expires_in: 0 });
  authorization.next({ hold: 'answer' });
  const body = new Readable({ read() {} });
  const sent = rejectionOf(send('/', { method: 'POST', body }));
  await authorization.requestArrived();

  body.destroy(new Error('the disk is gone'));

  expect((await sent).message).toBe('the disk is gone');
  authorization.release();
  await tokens.getAccessToken();
  expect(api.requests).toHaveLength(0);
});

test('a dispatcher that is closed while an access token is waited for fails the request', async () => {
  const { tokens, authorization, api, first } = await openWorld();
  await tokens.signIn({ refresh_token: first.refresh_token, access_token: 'x', expires_in: 0 });
  authorization.next({ hold: 'answer' });
  const agent = openAgent();
  const sent = rejectionOf(sendBy(agent.compose(undiciAuth(tokens)), api.origin));
  await authorization.requestArrived();

  await agent.close();
  authorization.release();

  expect((await sent).name).toBe('ClientDestroyedError');
});

test('a dispatcher that is closed while a 401 waits for its refresh fails that request', async () => {
  const { authorization, api, tokens } = await heldWorld(({ authorization: { revokeAccessTokens } }) =>
    revokeAccessTokens(),
  );
  const agent = openAgent();
  const sent = rejectionOf(sendBy(agent.compose(undiciAuth(tokens)), api.origin));
  await authorization.requestArrived();

  await agent.close();
  authorization.release();

  expect(await sent).toMatchObject({ code: 'UND_ERR_DESTROYED' });
  expect(statuses(api)).toEqual([401]);
});
