import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect, test } from '@jest/globals';
import { explain401 } from '@unexpired/core';
import { gotAuth } from '@unexpired/got';
import got, { type Response } from 'got';
import { bearerTokens, reasonsOf, statuses } from '../../../test/world.ts';
import { errorOf, openScene, redirectTo, textOf } from './scene.ts';

test('a stream carries a fresh access token', async () => {
  const { client, api, first } = await openScene();

  const text = await textOf(client.stream(api.origin));

  expect(JSON.parse(text)).toMatchObject({ method: 'GET' });
  expect(bearerTokens(api)).toEqual([first.access_token]);
});

test('a stream waits where the access token has expired', async () => {
  const { client, api, tokens, first, authorization } = await openScene();
  await tokens.signIn({ ...first, expires_in: 0 });

  await textOf(client.stream(api.origin));

  expect(bearerTokens(api)).toEqual([authorization.exchanges[0]?.issued?.access_token]);
});

test.each(['GET', 'POST'] as const)(
  'a %s stream that is refused is not sent again, and the next one has a fresh access token',
  async (method) => {
    const { client, api, authorization, events } = await openScene();
    authorization.revokeAccessTokens();
    const send = () => client.stream(api.origin, { method, ...(method === 'POST' && { body: 'text' }) });

    const error = await errorOf(textOf(send()));
    const text = await textOf(send());

    expect(error).toMatchObject({ name: 'HTTPError', response: { statusCode: 401 } });
    expect(explain401(error)?.reason).toBe('body-spent');
    expect(JSON.parse(text)).toMatchObject({ method });
    expect(statuses(api)).toEqual([401, 200]);
    expect(authorization.exchanges).toHaveLength(1);
    expect(reasonsOf(events, 'not-replayed')).toEqual(['body-spent']);
  },
);

test('the 401 of a stream that throws nothing marks the access token too', async () => {
  const { client, api, authorization, events } = await openScene();
  authorization.revokeAccessTokens();
  const stream = client.stream(api.origin, { throwHttpErrors: false });
  const responses: Response[] = [];
  stream.on('response', (response: Response) => responses.push(response));

  expect(await textOf(stream)).toBe('{"error":"invalid_token"}');
  await textOf(client.stream(api.origin));

  expect(explain401(responses[0])?.reason).toBe('body-spent');
  expect(statuses(api)).toEqual([401, 200]);
  expect(reasonsOf(events, 'not-replayed')).toEqual(['body-spent']);
});

test('what is piped in is sent once, and a factory changes nothing of that', async () => {
  const { client, api, authorization } = await openScene();
  const body = (): string => 'again';
  const send = () =>
    pipeline(
      Readable.from(['a', 'b']),
      client.stream.post(api.origin, { context: { unexpired: { body } } }),
      async (answer) => {
        let text = '';
        for await (const chunk of answer) text += String(chunk);
        return text;
      },
    );
  await send();
  authorization.revokeAccessTokens();

  await errorOf(send());

  expect(statuses(api)).toEqual([200, 401]);
  expect(api.requests.map((request) => request.body.toString())).toEqual(['ab', 'ab']);
});

test('a redirect of a stream to another origin takes no access token along', async () => {
  const { client, api, elsewhere, first } = await openScene();
  api.next(redirectTo(elsewhere.origin));

  await textOf(client.stream(api.origin));

  expect(bearerTokens(api)).toEqual([first.access_token]);
  expect(bearerTokens(elsewhere)).toEqual([undefined]);
});

test('a stream fails with what the source has to say', async () => {
  const { client, api, tokens } = await openScene();
  await tokens.signOut();

  const error = await errorOf(textOf(client.stream(api.origin)));

  expect(error.code).toBe('ERR_REAUTHENTICATION_REQUIRED');
  expect(api.requests).toHaveLength(0);
});

test('got.stream is a stream, also with a resolver that takes its time', async () => {
  const { tokens, api, first } = await openScene();
  const client = got.extend(gotAuth(async () => tokens));

  const stream = client.stream(api.origin);

  expect(typeof stream.pipe).toBe('function');
  await textOf(stream);
  expect(bearerTokens(api)).toEqual([first.access_token]);
});
