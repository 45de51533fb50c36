import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { statuses } from '../../../test/world.ts';
import { errorOf, keepAliveAgent, openScene, textOf } from './scene.ts';

test('discarded 401s of streamed responses give their connection back', async () => {
  const { api, authorization, client } = await openScene({
    client: { responseType: 'stream', httpAgent: keepAliveAgent() },
  });
  api.always(undefined);

  for (let round = 0; round < 3; round += 1) {
    authorization.revokeAccessTokens();
    const { data, status } = await client.get('/items');
    expect(status).toBe(200);
    await textOf(data);
  }

  expect(statuses(api)).toEqual([401, 200, 401, 200, 401, 200]);
  expect(api.connections).toBe(1);
});

test('a discarded 401 that is long costs its connection, and holds up nothing', async () => {
  const { api, authorization, client } = await openScene({
    client: { responseType: 'stream', httpAgent: keepAliveAgent() },
  });
  authorization.revokeAccessTokens();
  api.next({ respond: { status: 401, body: 'x'.repeat(8_000_000) } });

  const { data } = await client.get('/items');

  expect(await textOf(data)).toContain('/items');
  expect(api.connections).toBe(2);
});

test('the fetch adapter discards a streamed 401 too', async () => {
  const { api, authorization, client } = await openScene({
    client: { responseType: 'stream', adapter: 'fetch' },
  });
  authorization.revokeAccessTokens();

  const { data } = await client.get('/items');

  expect(await textOf(data)).toContain('/items');
  expect(statuses(api)).toEqual([401, 200]);
});

test.each(['http', 'fetch'])(
  'a streamed 401 that is handed on by the %s adapter can be read',
  async (adapter) => {
    const { api, client } = await openScene({ client: { responseType: 'stream', adapter } });
    api.always(401);

    const error = await errorOf(client.get('/items'));

    expect(await textOf(error.response?.data)).toBe('{"error":"invalid_token"}');
  },
);

test('a source that fails fails the request with its own error', async () => {
  const { client } = await openScene();
  const failing = new Readable({
    read() {
      this.destroy(new Error('The disk is gone.'));
    },
  });

  expect((await errorOf(client.put('/file', failing))).message).toBe('The disk is gone.');
});
