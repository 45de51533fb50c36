import { Readable } from 'node:stream';
import { expect, test } from '@jest/globals';
import { explain401 } from '@unexpired/core';
import { gotAuth } from '@unexpired/got';
import type { ExtendOptions, HandlerFunction, Response } from 'got';
import { bearerTokens, reasonsOf, statuses } from '../../../test/world.ts';
import { errorOf, openScene } from './scene.ts';

/** Options that note what they see. */
function watched(name: string, seen: string[]): ExtendOptions {
  const handler: HandlerFunction = (options, next) => {
    seen.push(`${name} handler`);
    return next(options);
  };
  return {
    handlers: [handler],
    hooks: {
      beforeRequest: [(_, { retryCount }) => void seen.push(`${name} request ${retryCount}`)],
      afterResponse: [
        (response) => {
          seen.push(`${name} response ${response.statusCode}`);
          return response;
        },
      ],
      beforeError: [
        (error) => {
          seen.push(`${name} error ${error.name}`);
          return error;
        },
      ],
    },
  };
}

test('hooks attached before and after see each attempt, and one response', async () => {
  const seen: string[] = [];
  const scene = await openScene({ before: watched('before', seen), after: watched('after', seen) });
  const { client, api, authorization } = scene;
  authorization.revokeAccessTokens();

  const { statusCode } = await client(api.origin);

  expect(statusCode).toBe(200);
  expect(statuses(api)).toEqual([401, 200]);
  expect(seen).toEqual([
    'before handler',
    'after handler',
    'before request 0',
    'after request 0',
    'before request 1',
    'after request 1',
    'before response 200',
    'after response 200',
  ]);
});

test('hooks attached before and after see one error', async () => {
  const seen: string[] = [];
  const scene = await openScene({ before: watched('before', seen), after: watched('after', seen) });
  scene.api.always(401);

  const error = await errorOf(scene.client(scene.api.origin));

  expect(error).toMatchObject({ name: 'HTTPError', response: { statusCode: 401 } });
  expect(statuses(scene.api)).toEqual([401, 401]);
  expect(seen.filter((line) => /error|response/.test(line))).toEqual([
    'before response 401',
    'after response 401',
    'before error HTTPError',
    'after error HTTPError',
  ]);
});

test('a hook that looks at the response before us does not hide its 401', async () => {
  const afterResponse = (response: Response): Response => Object.assign(response, { statusCode: 200 });
  const { client, api, authorization } = await openScene({
    before: { hooks: { afterResponse: [afterResponse] } },
  });
  authorization.revokeAccessTokens();

  await client(api.origin);

  expect(statuses(api)).toEqual([401, 200]);
});

test('a hook that sends the request again keeps its replay', async () => {
  let asked = 0;
  const afterResponse = (response: Response, retry: (options: object) => never): Response => {
    asked += 1;
    return response.statusCode === 412 ? retry({ headers: { 'if-match': 'b' } }) : response;
  };
  const { client, api, authorization } = await openScene({
    after: { hooks: { afterResponse: [afterResponse] } },
  });
  authorization.revokeAccessTokens();
  api.next({}, 412, {});

  await client(api.origin);

  expect(statuses(api)).toEqual([401, 412, 200]);
  expect(asked).toBe(1);
});

test('a hook that answers in place of the server is let to', async () => {
  const answer = Object.assign(Readable.from(['mocked']), { statusCode: 200, headers: {} });
  const { client, api } = await openScene();

  const body = await client(api.origin, { hooks: { beforeRequest: [() => answer as never] } }).text();

  expect(body).toBe('mocked');
  expect(api.requests).toHaveLength(0);
});

test('retries that calculateDelay vetoes are not the replay', async () => {
  const asked: unknown[] = [];
  const { client, api, authorization } = await openScene({
    before: {
      retry: {
        limit: 2,
        calculateDelay: ({ error }) => {
          asked.push(error.code);
          return 0;
        },
      },
    },
  });
  authorization.revokeAccessTokens();
  api.next({}, 503);

  const error = await errorOf(client(api.origin));

  expect(error.response.statusCode).toBe(503);
  expect(statuses(api)).toEqual([401, 503]);
  expect(asked).toEqual(['ERR_NON_2XX_3XX_RESPONSE']);
});

const soon = { limit: 2, noise: 0, backoffLimit: 1 };

test('a retry of got carries the access token of that moment', async () => {
  const { client, api, authorization, tokens, first } = await openScene();
  let second = '';
  api.next(async () => {
    const signedIn = await authorization.signIn();
    second = signedIn.access_token;
    await tokens.signIn(signedIn);
    return { status: 503 };
  });

  await client(api.origin, { retry: soon });

  expect(statuses(api)).toEqual([503, 200]);
  expect(bearerTokens(api)).toEqual([first.access_token, second]);
});

test('the replay costs none of the retries', async () => {
  const { client, api, authorization } = await openScene();
  authorization.revokeAccessTokens();
  api.next({}, 503, 503, 503, 503);

  const error = await errorOf(client(api.origin, { retry: soon }));

  expect(error.response.statusCode).toBe(503);
  expect(statuses(api)).toEqual([401, 503, 503, 503]);
});

test('a request that got retries is replayed once, whatever follows', async () => {
  const { client, api, authorization } = await openScene();
  api.next(503, 401, 503, 401, 401);

  const error = await errorOf(client(api.origin, { retry: soon }));

  expect(statuses(api)).toEqual([503, 401, 503, 401]);
  expect(explain401(error)?.reason).toBe('refused-again');
  expect(authorization.exchanges).toHaveLength(1);
});

test('the adapter attached twice over one source is attached once', async () => {
  const { client, api, authorization, tokens, first } = await openScene();
  const twice = client.extend(gotAuth(tokens), { context: {} });

  await twice(api.origin);
  authorization.revokeAccessTokens();
  await twice.post(api.origin, { json: { a: 1 } });

  expect(statuses(api)).toEqual([200, 401, 200]);
  expect(bearerTokens(api)[0]).toBe(first.access_token);
  expect(authorization.exchanges).toHaveLength(1);
});

test('two sources serve an origin each', async () => {
  const scene = await openScene();
  const { api, elsewhere, client, first, createSource, authorization } = scene;
  const second = await authorization.signIn({ account: 'b' });
  const other = createSource({ origins: [elsewhere.origin], tokens: second, account: 'b' });
  const both = client.extend(gotAuth(other));

  await both(api.origin);
  await both(elsewhere.origin);

  expect(bearerTokens(api)).toEqual([first.access_token]);
  expect(bearerTokens(elsewhere)).toEqual([second.access_token]);
});

test('a 401 that is no error is replayed, and explained by its response', async () => {
  const { client, api, authorization } = await openScene();
  const calm = client.extend({ throwHttpErrors: false });
  authorization.revokeAccessTokens();
  expect((await calm(api.origin)).statusCode).toBe(200);

  api.always(401);
  const response = await calm(api.origin);

  expect(response.statusCode).toBe(401);
  expect(explain401(response)?.reason).toBe('refused-again');
});

test('an HTTPError explains itself', async () => {
  const { client, api, events } = await openScene();
  api.always(401);

  const error = await errorOf(client(api.origin));

  expect(explain401(error)).toMatchObject({ reason: 'refused-again' });
  expect(error.message).toMatch(
    /^Request failed with status code 401.*A fresh access token was refused too\.$/,
  );
  expect(reasonsOf(events, 'not-replayed')).toEqual(['refused-again']);
});

test('an error of the source keeps its code, and is the cause', async () => {
  const { client, api, tokens } = await openScene();
  await tokens.signOut();

  const error = await errorOf(client(api.origin));

  expect(error.code).toBe('ERR_REAUTHENTICATION_REQUIRED');
  expect(error.cause).toMatchObject({ name: 'AccessTokenError', code: error.code });
  expect(api.requests).toHaveLength(0);
});

test('json, buffer, text and bodies alone are those of the replay', async () => {
  const { client, api, authorization } = await openScene();
  const forms = [
    () => client(api.origin).json<{ method: string }>(),
    () => client(api.origin, { responseType: 'json', resolveBodyOnly: true }) as Promise<{ method: string }>,
    async () => JSON.parse(await client(api.origin).text()) as { method: string },
    async () => JSON.parse(new TextDecoder().decode(await client(api.origin).buffer())) as { method: string },
  ];
  for (const send of forms) {
    authorization.revokeAccessTokens();
    expect((await send()).method).toBe('GET');
  }

  expect(api.requests).toHaveLength(8);
});

test('what the caller listens to on the promise goes on', async () => {
  const { client, api, authorization } = await openScene();
  authorization.revokeAccessTokens();
  const seen: unknown[] = [];

  await client(api.origin)
    .on('request', () => seen.push('request'))
    .on('response', ({ statusCode }: Response) => seen.push(statusCode));

  expect(seen.filter((each) => each === 'request')).toHaveLength(2);
  expect(seen.at(-1)).toBe(200);
});
