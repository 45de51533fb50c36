import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { createDefaultHttpClient, createHttpHeaders, createPipelineRequest } from '@azure/core-rest-pipeline';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { createTokenSource, type TokenResponse, type TokenSource } from '@unexpired/core';
import { fetchAuth } from '@unexpired/fetch';
import { connectAzure, connectBadgateway, connectFetchExtras, connectGoogle } from '../benchmarks/peers.ts';
import { exchange, type Place } from '../benchmarks/place.ts';
import { connect as axiosAfter } from '../examples/migration/axios-auth-refresh/after.ts';
import { connect as axiosAuthRefresh } from '../examples/migration/axios-auth-refresh/before.ts';
import { connect as axiosJwt } from '../examples/migration/axios-jwt/before.ts';
import { axios, got, ky, type Send } from '../examples/migration/clients.ts';
import { connect as gotAfter } from '../examples/migration/got/after.ts';
import { connect as gotRecipe } from '../examples/migration/got/before.ts';
import { connect as kyAfter } from '../examples/migration/ky/after.ts';
import { connect as kyRecipe } from '../examples/migration/ky/before.ts';
import { measure, type Connect } from '../examples/migration/situations.ts';
import { createWorld } from '../examples/migration/world.ts';

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

function viaFetch(send: Fetch): Send {
  return async ({ url, json, chunks, signal = null }) => {
    const stream = chunks && Readable.toWeb(Readable.from(chunks.map((chunk) => Buffer.from(chunk))));
    const body = (stream as BodyInit | undefined) ?? (json && JSON.stringify(json));
    const init = { signal, ...(body !== undefined && { method: 'POST', body, duplex: 'half' }) };
    try {
      const response = await send(url, init);
      await response.text();
      return response.status;
    } catch {
      return undefined;
    }
  };
}

async function fetchOver(place: Place, first: TokenResponse): Promise<Fetch> {
  const tokens: TokenSource = createTokenSource({
    origins: [place.api],
    refresh: ({ refreshToken }) => exchange(place, refreshToken),
  });
  await tokens.signIn(first);
  return fetchAuth(tokens);
}

function viaGoogle(place: Place, first: TokenResponse): Send {
  const client = connectGoogle(place, first);
  return async ({ url, json, chunks, signal }) => {
    const data = chunks ? Readable.from(chunks) : (json as Record<string, unknown> | undefined);
    const sent = { ...(data && { method: 'POST' as const, data }), ...(signal && { signal }) };
    return client.request({ url, ...sent }).then(
      ({ status }) => status,
      ({ response }: { response?: Response }) => response?.status,
    );
  };
}

/** Its policy takes https only, so that the last step alone goes to the loopback server. */
function viaAzure(place: Place, first: TokenResponse): Send {
  const line = connectAzure(place, first);
  const client = createDefaultHttpClient();
  return async ({ url, json, chunks, signal }) => {
    const body = chunks ? Readable.from(chunks.map((chunk) => Buffer.from(chunk))) : JSON.stringify(json);
    const request = createPipelineRequest({
      url: url.replace('http:', 'https:'),
      method: body === undefined ? 'GET' : 'POST',
      headers: createHttpHeaders(),
      ...(body !== undefined && { body }),
      ...(signal && { abortSignal: signal }),
    });
    const plain: typeof client = {
      sendRequest: (sent) =>
        client.sendRequest({
          ...sent,
          url: sent.url.replace('https:', 'http:'),
          allowInsecureConnection: true,
        }),
    };
    return line.sendRequest(plain, request).then(
      ({ status }) => status,
      () => undefined,
    );
  };
}

const OURS = '**unexpired**, each client';

/** In the order of the README's table, which has one row for all clients of ours. */
const contenders: readonly (readonly [string, Connect])[] = [
  [OURS, async (place, first, hook) => axios(await axiosAfter(place, first), hook)],
  [OURS, async (place, first, hook) => ky(await kyAfter(place, first), hook)],
  [OURS, async (place, first, hook) => got(await gotAfter(place, first), hook)],
  [OURS, async (place, first) => viaFetch(await fetchOver(place, first))],
  ['axios-auth-refresh', async (place, first, hook) => axios(axiosAuthRefresh(place, first), hook)],
  [
    '… `deduplicateRefresh: false`',
    async (place, first, hook) => axios(axiosAuthRefresh(place, first, { deduplicateRefresh: false }), hook),
  ],
  ['axios-jwt', async (place, first, hook) => axios(await axiosJwt(place, first), hook)],
  ["ky's recipe", async (place, first, hook) => ky(kyRecipe(place, first), hook)],
  [
    '… with a shared promise',
    async (place, first, hook) => ky(kyRecipe(place, first, { shared: true }), hook),
  ],
  ["got's recipe", async (place, first, hook) => got(gotRecipe(place, first), hook)],
  [
    '… with a shared promise',
    async (place, first, hook) => got(gotRecipe(place, first, { shared: true }), hook),
  ],
  ['fetch-extras', async (place, first) => viaFetch(connectFetchExtras(place, first))],
  ['@badgateway/oauth2-client', async (place, first) => viaFetch(connectBadgateway(place, first))],
  ['google-auth-library', async (place, first) => viaGoogle(place, first)],
  ['@azure/core-rest-pipeline', async (place, first) => viaAzure(place, first)],
];

const columns = [
  'callers who get their 200',
  'token requests',
  'callers who get their 200, the access token having expired',
  'token requests when the 401 of one comes after the refresh',
  '401s on the wire for that',
  'callers served although the token endpoint says 503 once',
  'streams that the API took',
  'an abort during the refresh ends that call',
  'token requests for five calls, the API refusing each token',
  'a URL of another origin gets the access token',
];

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const table = /^## Compared\n.*?^\|--.*?\n(?<rows>.*?)\n\n/ms.exec(readme)?.groups?.['rows'] ?? '';
const stated = table.split('\n').map((line) => line.slice(2, -2).split(' | '));

const count = contenders.filter(([name]) => name === OURS).length;
const cases = contenders.map(([name, connect], index) => ({
  name,
  connect,
  row: Math.max(0, index - count + 1),
}));

beforeAll(() => {
  // @badgateway/oauth2-client tells the console that a refresh failed.
  jest.spyOn(console, 'warn').mockImplementation(() => undefined);
});

afterAll(() => {
  jest.restoreAllMocks();
});

test('the README has a row for each', () => {
  expect(stated.map(([name]) => name)).toEqual(contenders.slice(count - 1).map(([name]) => name));
});

test.each(cases)('$name does what row $row of the README says', async ({ name, connect, row }) => {
  const measured = await measure(connect, false);

  expect([name, ...columns.map((column) => measured[column])]).toEqual(stated[row]);
});

test('google-auth-library presents the refresh token again that a rotation has replaced', async () => {
  const { server, place, first, close } = await createWorld();
  try {
    const client = connectGoogle(place, first);
    await client.refreshAccessToken();
    await client.refreshAccessToken().catch(() => undefined);

    expect(server.reuses).toHaveLength(1);
    expect(server.isGrantAlive(first.refresh_token)).toBe(false);
  } finally {
    await close();
  }
});
