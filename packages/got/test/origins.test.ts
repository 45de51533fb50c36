import { expect, test } from '@jest/globals';
import { gotAuth } from '@unexpired/got';
import got, { type BeforeRequestHook, type HandlerFunction, type Response } from 'got';
import { bearerTokens, reasonsOf, statuses } from '../../../test/world.ts';
import { openScene, redirectTo } from './scene.ts';

test('an absolute URL on an instance with a base URL does not get the access token elsewhere', async () => {
  const { api, elsewhere, client, first } = await openScene();
  const based = client.extend({ prefixUrl: `${api.origin}/v1` });

  await based('items');
  await based(`${elsewhere.origin}/items`);

  expect(bearerTokens(api)).toEqual([first.access_token]);
  expect(bearerTokens(elsewhere)).toEqual([undefined]);
});

test('a base URL that forbids absolute URLs allows a replay', async () => {
  const { api, authorization, client } = await openScene();
  authorization.revokeAccessTokens();
  const based = client.extend({ prefixUrl: `${api.origin}/v1`, allowAbsoluteUrls: false });

  await based('items', { searchParams: { page: 2 } });

  expect(api.requests.map(({ url }) => url)).toEqual(['/v1/items?page=2', '/v1/items?page=2']);
});

test('pages on another origin do not get the access token, and those on the listed one a fresh one', async () => {
  const { api, elsewhere, client, authorization, first, tokens } = await openScene();
  let second: string | undefined;
  api.next(async () => {
    const signedIn = await authorization.signIn();
    second = signedIn.access_token;
    await tokens.signIn(signedIn);
    return { headers: { Link: `<${api.origin}/2>; rel="next"` }, body: [1] };
  });
  api.next({ respond: { headers: { Link: `<${elsewhere.origin}/3>; rel="next"` }, body: [2] } });
  elsewhere.next({ respond: { body: [3] } });

  const items = await client.paginate.all<number>(`${api.origin}/1`);

  expect(items).toEqual([1, 2, 3]);
  expect(bearerTokens(api)).toEqual([first.access_token, second]);
  expect(bearerTokens(elsewhere)).toEqual([undefined]);
});

test('each page has a replay of its own, also where the options of the page before are used again', async () => {
  const { api, client, authorization } = await openScene();
  api.always({ respond: undefined });
  const pages = client.paginate.each<string>(`${api.origin}/1`, {
    pagination: {
      transform: (response: Response<unknown>) => [new URL(response.url).pathname],
      paginate: ({ response }) => {
        const { options } = response.request;
        if (String(options.url).endsWith('/3')) return false;
        options.url = `${api.origin}/${Number(String(options.url).at(-1)) + 1}`;
        return options as never;
      },
    },
  });

  const seen: string[] = [];
  for await (const page of pages) {
    seen.push(page);
    authorization.revokeAccessTokens();
  }

  expect(seen).toEqual(['/1', '/2', '/3']);
  expect(statuses(api)).toEqual([200, 401, 200, 401, 200]);
});

test.each([302, 307])(
  'a redirect (%i) to another origin takes neither the access token nor a fallback along',
  async (status) => {
    const fallback = { header: 'X-Api-Key', value: 'static-key' };
    const { api, elsewhere, client, tokens, first } = await openScene({ source: { fallback } });
    api.always(redirectTo(elsewhere.origin, status));

    await client(api.origin);
    await tokens.signOut();
    await client(api.origin);

    expect(bearerTokens(api)).toEqual([first.access_token, undefined]);
    expect(api.requests[1]?.headers['x-api-key']).toBe('static-key');
    for (const { headers } of elsewhere.requests) {
      expect(JSON.stringify(headers)).not.toMatch(/static-key|bearer/i);
    }
    expect(elsewhere.requests).toHaveLength(2);
  },
);

test('a request that left the listed origins gets no access token when it comes back', async () => {
  const { api, elsewhere, client, first, authorization } = await openScene();
  api.next(redirectTo(elsewhere.origin));
  elsewhere.next(redirectTo(`${api.origin}/back`));

  await client(api.origin, { throwHttpErrors: false });

  expect(bearerTokens(api)).toEqual([first.access_token, undefined]);
  expect(authorization.exchanges).toHaveLength(0);
});

test('a redirect between two listed origins takes the access token along', async () => {
  const scene = await openScene();
  const { api, elsewhere, createSource, first } = scene;
  const tokens = createSource({ origins: [api.origin, elsewhere.origin], tokens: first, account: 'both' });
  api.next(redirectTo(elsewhere.origin));

  await got.extend(gotAuth(tokens))(api.origin);

  expect(bearerTokens(api)).toEqual([first.access_token]);
  expect(bearerTokens(elsewhere)).toEqual([first.access_token]);
});

const moves = ['before', 'after', 'per request'] as const;

test.each(moves)('a hook that moves the request takes no access token along: %s', async (where) => {
  let target = '';
  const hooks = {
    beforeRequest: [
      (options: { url: unknown }) => {
        options.url = new URL(`${target}/moved`);
      },
    ],
  };
  const scene = await openScene(where === 'per request' ? {} : { [where]: { hooks } });
  const { api, elsewhere, client } = scene;
  target = elsewhere.origin;

  await client(api.origin, where === 'per request' ? { hooks } : {});

  expect(api.requests).toHaveLength(0);
  expect(bearerTokens(elsewhere)).toEqual([undefined]);
  expect(reasonsOf(scene.events, 'request-not-authorized')).toEqual(['origin']);
});

test('a hook that moves only the replay takes no access token along', async () => {
  const { api, elsewhere, client, authorization } = await openScene();
  authorization.revokeAccessTokens();
  const beforeRequest = (options: { url: unknown }, { retryCount }: { retryCount: number }): void => {
    if (retryCount > 0) options.url = new URL(elsewhere.origin);
  };

  await client(api.origin, { hooks: { beforeRequest: [beforeRequest] } });

  expect(statuses(api)).toEqual([401]);
  expect(bearerTokens(elsewhere)).toEqual([undefined]);
});

test('a hook sees, on each attempt, the URL that the caller gave', async () => {
  const { api, client, authorization } = await openScene();
  authorization.revokeAccessTokens();
  const beforeRequest = (options: { url?: unknown }): void => {
    options.url = new URL(String(options.url).replace(api.origin, `${api.origin}/v2`));
  };

  await client(`${api.origin}/items`, { hooks: { beforeRequest: [beforeRequest] } });

  expect(api.requests.map(({ url }) => url)).toEqual(['/v2/items', '/v2/items']);
});

test('user and password, of the options or the URL, stand', async () => {
  const { api, client, events } = await openScene();
  const basic = ['Basic dTpw'];

  await client(api.origin, { username: 'u', password: 'p', throwHttpErrors: false });
  await client(api.origin.replace('//', '//u:p@'), { throwHttpErrors: false });

  expect(api.requests.map(({ authorization }) => authorization)).toEqual([basic, basic]);
  expect(reasonsOf(events, 'request-not-authorized')).toEqual(['own-header']);
});

test('an Authorization that the caller set to nothing stands', async () => {
  const { api, client } = await openScene();

  await client(api.origin, { headers: { authorization: undefined }, throwHttpErrors: false });

  expect(api.requests[0]?.authorization).toEqual([]);
});

test('a wrong URL fails as it does without the adapter', async () => {
  const { client, bare } = await openScene();
  const [own, plain] = await Promise.all(
    [client, bare].map(async (each) =>
      String(await Promise.resolve(each('nowhere')).catch((error: unknown) => error)),
    ),
  );

  expect(own).toBe(plain);
});

test('a hook that a handler adds runs before ours, and may move the request', async () => {
  let target = '';
  const move = (options: { url?: unknown }): void => {
    options.url = new URL(target);
  };
  const adds: HandlerFunction = (options, next) => {
    options.hooks.beforeRequest.push(move as BeforeRequestHook);
    return next(options);
  };
  const { client, api, elsewhere } = await openScene({ after: { handlers: [adds] } });
  target = elsewhere.origin;

  await client(api.origin);

  expect(bearerTokens(elsewhere)).toEqual([undefined]);
  expect(api.requests).toHaveLength(0);
});
