import { expect, test } from '@jest/globals';
import { AccessTokenError, explain401 } from '@unexpired/core';
import { fetchAuth } from '@unexpired/fetch';
import { faults, type ResourceServer } from '@unexpired/testing';
import { statuses } from '../../../test/scene.ts';
import { openScene, type Scene } from './scene.ts';

/** How a request ended, whichever client sent it. */
interface Outcome {
  readonly client: 'axios' | 'fetch';
  readonly status: number | undefined;
  /** What the client returned or threw. */
  readonly native: object;
}

interface Pair extends Scene {
  /** So many requests at once, through axios and fetch in turn. */
  readonly send: (count: number) => Promise<Outcome[]>;
}

interface Ending {
  readonly status?: number;
  readonly response?: { readonly status: number };
}

async function outcomeOf(client: Outcome['client'], sending: Promise<object>): Promise<Outcome> {
  const native = await sending.catch((error: object) => error);
  const { status, response } = native as Ending;
  return { client, status: response?.status ?? status, native };
}

/** Two clients over one token source, whose back-offs take no time. */
async function openPair(): Promise<Pair> {
  // A crowd takes its time on a loaded machine, while the exchange is held.
  const limits = { exchangeMs: 60_000, flightMs: 60_000, waitMs: 60_000 };
  const scene = await openScene({ source: { random: () => 0, limits }, client: { adapter: 'http' } });
  const authFetch = fetchAuth(scene.tokens);
  const sendOne = (index: number): Promise<Outcome> =>
    index % 2 === 0
      ? outcomeOf('axios', scene.client.get(`/axios/${index}`))
      : outcomeOf('fetch', authFetch(`${scene.api.origin}/fetch/${index}`));
  const send = (count: number): Promise<Outcome[]> =>
    Promise.all(Array.from({ length: count }, (_, index) => sendOne(index)));
  return { ...scene, send };
}

/** Signed in with an access token whose time is over; the API knows that too. */
async function openExpiredPair(): Promise<Pair> {
  const pair = await openPair();
  pair.authorization.revokeAccessTokens();
  await pair.tokens.signIn({ ...pair.first, expires_in: 0 });
  return pair;
}

/** Counted, so that a failed comparison of a thousand stays readable. */
function countBy(values: readonly unknown[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[String(value)] = (counts[String(value)] ?? 0) + 1;
  return counts;
}

const endings = (outcomes: readonly Outcome[]): unknown =>
  countBy(outcomes.map(({ client, status }) => `${client} ${status}`));

const codes = (outcomes: readonly Outcome[]): unknown =>
  countBy(
    outcomes.map(({ client, native }) =>
      native instanceof AccessTokenError ? `${client} ${native.code}` : `${client}: no typed error`,
    ),
  );

/** The Authorization lines of some requests, in the order of arrival. */
const lines = ({ requests }: ResourceServer, from: number, to?: number): unknown =>
  countBy(requests.slice(from, to).map(({ authorization }) => authorization.join(' and ')));

const newest = ({ authorization }: Scene): string =>
  `Bearer ${authorization.exchanges.at(-1)?.issued?.access_token}`;

test('1,000 requests on an expired access token cost one exchange, and all carry the new one', async () => {
  const pair = await openExpiredPair();
  const { api, authorization, send } = pair;

  const outcomes = await send(1000);

  expect(endings(outcomes)).toEqual({ 'axios 200': 500, 'fetch 200': 500 });
  expect(authorization.exchanges).toHaveLength(1);
  expect(authorization.reuses).toEqual([]);
  expect(lines(api, 0)).toEqual({ [newest(pair)]: 1000 });
});

test('1,000 requests on a revoked access token cost one exchange, and each attempt carries the newest', async () => {
  const pair = await openPair();
  const { api, authorization, first, send } = pair;
  authorization.revokeAccessTokens();
  authorization.next({ hold: 'request' });
  const sending = send(1000);
  await Promise.all([api.requestArrived(1000), authorization.requestArrived()]);

  authorization.release();

  expect(endings(await sending)).toEqual({ 'axios 200': 500, 'fetch 200': 500 });
  expect(authorization.exchanges).toHaveLength(1);
  expect(authorization.reuses).toEqual([]);
  // No newer one was there when the first 1,000 were sent.
  expect(lines(api, 0, 1000)).toEqual({ [`Bearer ${first.access_token}`]: 1000 });
  expect(lines(api, 1000)).toEqual({ [newest(pair)]: 1000 });
});

test('late 401s for an older access token cost neither client an exchange', async () => {
  const pair = await openPair();
  const { api, authorization, send } = pair;
  authorization.revokeAccessTokens();
  api.next({ hold: 'answer' }, { hold: 'answer' });
  const late = send(2);
  await api.requestArrived(2);
  await send(2);
  expect(authorization.exchanges).toHaveLength(1);

  api.release();

  expect(endings(await late)).toEqual({ 'axios 200': 1, 'fetch 200': 1 });
  expect(authorization.exchanges).toHaveLength(1);
  expect(statuses(api).filter((status) => status === 401).length).toBeGreaterThanOrEqual(3);
  expect(lines(api, -2)).toEqual({ [newest(pair)]: 2 });
});

test('a refused grant rejects all who wait alike, leaves the others their 401, and is not asked again', async () => {
  const { api, authorization, send } = await openPair();
  authorization.revokeAccessTokens();
  authorization.always({ ...faults.oauthError('invalid_grant'), hold: 'request' });
  const holding = send(20);
  await Promise.all([api.requestArrived(20), authorization.requestArrived()]);
  const waiting = send(20);

  authorization.release();

  const refused = await holding;
  expect(endings(refused)).toEqual({ 'axios 401': 10, 'fetch 401': 10 });
  const explained = refused.map(({ native }) => explain401(native));
  expect(countBy(explained.map((why) => why?.reason))).toEqual({ 'refresh-failed': 20 });
  const code = 'ERR_REAUTHENTICATION_REQUIRED';
  expect(codes(await waiting)).toEqual({ [`axios ${code}`]: 10, [`fetch ${code}`]: 10 });
  authorization.always(undefined);
  expect(codes(await send(100))).toEqual({ [`axios ${code}`]: 50, [`fetch ${code}`]: 50 });
  expect(authorization.exchanges).toHaveLength(1);
  expect(api.requests).toHaveLength(20);
});

test('both clients succeed on an expired access token through 503, 503 and 200', async () => {
  const pair = await openExpiredPair();
  const { api, authorization, send } = pair;
  authorization.next({ respond: { status: 503 } }, { respond: { status: 503 } });

  const outcomes = await send(20);

  expect(endings(outcomes)).toEqual({ 'axios 200': 10, 'fetch 200': 10 });
  expect(authorization.exchanges.map(({ status }) => status)).toEqual([503, 503, 200]);
  expect(lines(api, 0)).toEqual({ [newest(pair)]: 20 });
});

test('both clients succeed on a revoked access token through 503, 503 and 200', async () => {
  const pair = await openPair();
  const { api, authorization, send } = pair;
  authorization.revokeAccessTokens();
  authorization.next({ respond: { status: 503 }, hold: 'request' }, { respond: { status: 503 } });
  const sending = send(20);
  await Promise.all([api.requestArrived(20), authorization.requestArrived()]);

  authorization.release();

  expect(endings(await sending)).toEqual({ 'axios 200': 10, 'fetch 200': 10 });
  expect(authorization.exchanges.map(({ status }) => status)).toEqual([503, 503, 200]);
  expect(lines(api, 20)).toEqual({ [newest(pair)]: 20 });
});
