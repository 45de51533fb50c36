import { expect, test } from '@jest/globals';
import type { HandlerFunction, Request } from 'got';
import { openScene, textOf } from './scene.ts';

test('a handler may answer with something else than the request', async () => {
  const mock = (() => ({ body: 'mock' })) as unknown as HandlerFunction;
  const { client, api } = await openScene({ after: { handlers: [mock] } });

  expect(await client(api.origin)).toEqual({ body: 'mock' });
  expect(client.stream(api.origin)).toEqual({ body: 'mock' });
  expect(api.requests).toHaveLength(0);
});

test('a handler that answers a stream with a promise is let to', async () => {
  const late: HandlerFunction = async (options, next) => next(options) as never;
  const { client, api } = await openScene({ after: { handlers: [late] } });

  const stream = await (client.stream(api.origin) as unknown as Promise<Request>);

  expect(await textOf(stream)).toContain('GET');
});
