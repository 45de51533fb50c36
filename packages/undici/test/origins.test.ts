import { expect, test } from '@jest/globals';
import { undiciAuth } from '@unexpired/undici';
import { BalancedPool, Client, Pool, type Dispatcher } from 'undici';
import { Client as Client7, Pool as Pool7 } from 'undici-7';
import { afterwards, bearerTokens, openWorld, reasonsOf } from '../../../test/world.ts';
import { openAgent, openScene, sendBy } from './scene.ts';

interface Closable {
  destroy(): unknown;
}

function closing<D extends Closable>(dispatcher: D): D {
  afterwards(() => dispatcher.destroy());
  return dispatcher;
}

const get = { method: 'GET', path: '/' } as const;

async function ask(dispatcher: Dispatcher, options: object = {}): Promise<number> {
  const { statusCode, body } = await dispatcher.request({ ...get, ...options });
  await body.dump();
  return statusCode;
}

test.each([
  ['Client', (origin: string) => new Client(origin)],
  ['Pool', (origin: string) => new Pool(origin)],
])('a %s is judged by the origin that it is connected to, whatever the request names', async (_, open) => {
  const { api, elsewhere, tokens, first } = await openWorld();
  const ours = closing(open(api.origin)).compose(undiciAuth(tokens));
  const foreign = closing(open(elsewhere.origin)).compose(undiciAuth(tokens));

  await ask(ours);
  await ask(ours, { origin: elsewhere.origin });
  await ask(foreign, { origin: api.origin });

  expect(bearerTokens(api)).toEqual([first.access_token, first.access_token]);
  expect(bearerTokens(elsewhere)).toEqual([undefined]);
});

test.each([
  ['Client', (origin: string) => new Client7(origin)],
  ['Pool', (origin: string) => new Pool7(origin)],
])('a %s of undici 7 carries the access token where the request names the origin', async (_, open) => {
  const { api, tokens, first, events } = await openWorld();
  const ours = closing(open(api.origin)).compose(undiciAuth(tokens) as never) as unknown as Dispatcher;

  await ask(ours, { origin: api.origin });
  const status = await ask(ours);

  expect(bearerTokens(api)).toEqual([first.access_token, undefined]);
  expect(status).toBe(401);
  expect(reasonsOf(events, 'request-not-authorized')).toEqual(['origin']);
});

test('a pool of several origins never sees the access token', async () => {
  const { api, tokens, events } = await openWorld();
  const pool = closing(new BalancedPool(api.origin)).compose(undiciAuth(tokens));

  await ask(pool, { origin: api.origin });

  expect(bearerTokens(api)).toEqual([undefined]);
  expect(reasonsOf(events, 'request-not-authorized')).toEqual(['origin']);
});

test('an origin may be a URL', async () => {
  const { api, dispatcher, first } = await openScene();

  await ask(dispatcher, { origin: new URL(api.origin) });

  expect(bearerTokens(api)).toEqual([first.access_token]);
});

test.each(['http://127.0.0.1:1/things', '@127.0.0.1:1/', ''])(
  'a path that is none (%p) takes the access token nowhere',
  async (path) => {
    const { api, dispatcher } = await openScene();

    await ask(dispatcher, { origin: api.origin, path }).catch(() => undefined);

    expect(bearerTokens(api).filter(Boolean)).toEqual([]);
  },
);

test('a resolver is told of the request and its options', async () => {
  const { api, tokens } = await openWorld();
  const seen: unknown[] = [];
  const auth = undiciAuth((request) => {
    seen.push(request);
    return tokens;
  });
  const options = { unexpired: { account: 'ann' }, headers: { accept: '*/*' } };

  await sendBy(openAgent().compose(auth), `${api.origin}/things?a=1`, options);

  const [told] = seen as [{ native: object }];
  expect(told).toMatchObject({ url: `${api.origin}/things?a=1`, method: 'GET', account: 'ann' });
  expect(told.native).toMatchObject({ origin: api.origin, headers: options.headers });
});
