import assert from 'node:assert/strict';
import {
  createTokenSource,
  explain401,
  type AdapterOptions,
  type Explanation,
  type RefreshFunction,
  type TokenEvent,
  type TokenSource,
  type TokenSourceOptions,
} from '@unexpired/core';
import type {
  AdapterSuiteOptions,
  BodyKind,
  SuiteAnswer,
  SuiteClient,
  SuitePool,
} from './adapter-suite-driver.ts';
import {
  createAuthorizationServer,
  type AuthorizationServer,
  type FirstTokens,
} from './authorization-server.ts';
import { createFakeClock, type FakeClock } from './fake-clock.ts';
import { createResourceServer, type ResourceServer, type ResourceServerOptions } from './resource-server.ts';

/** Lifetime of the access tokens. */
const LIFETIME_MS = 3_600_000;

/** No limit is reached while a test moves the clock over a back-off. */
const FOR_EVER_MS = 2 ** 31 - 1;

/** What one case has around it: servers on loopback, a token source that is signed in, a client with the adapter. */
export interface World {
  readonly authorization: AuthorizationServer;
  /** The listed origin. It takes valid access tokens only. */
  readonly api: ResourceServer;
  /** Another origin, which takes anything. */
  readonly elsewhere: ResourceServer;
  readonly clock: FakeClock;
  readonly tokens: TokenSource;
  /** What the source was signed in with. */
  readonly first: FirstTokens;
  readonly events: readonly TokenEvent[];
  readonly send: SuiteClient;
  /** Sends a GET request to the API. */
  readonly get: () => Promise<SuiteAnswer>;
  readonly suite: AdapterSuiteOptions;
  /** Another source, for another account. */
  readonly createSource: (options?: Partial<TokenSourceOptions>) => TokenSource;
}

export interface ScenarioOptions {
  readonly source?: Partial<TokenSourceOptions> | undefined;
  readonly adapter?: AdapterOptions | undefined;
  readonly pool?: SuitePool | undefined;
  readonly api?: ResourceServerOptions | undefined;
  /** Kinds of bodies of which the client has to take one. @default none */
  readonly needs?: readonly BodyKind[] | undefined;
}

/** One case of the suite. */
export interface Scenario {
  readonly name: string;
  readonly options: ScenarioOptions;
  readonly run: (world: World) => Promise<void>;
}

/** A case with a source or an adapter that has options. */
export function scenarioWith(
  options: ScenarioOptions,
  name: string,
  run: (world: World) => Promise<void>,
): Scenario {
  return { name, options, run };
}

export function scenario(name: string, run: (world: World) => Promise<void>): Scenario {
  return { name, options: {}, run };
}

function refreshAt(tokenEndpoint: string): RefreshFunction {
  return ({ refreshToken = '', signal }) =>
    fetch(tokenEndpoint, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        refresh_token: refreshToken,
        client_id: 'suite',
      }),
      signal,
    });
}

async function openWorld(
  suite: AdapterSuiteOptions,
  options: ScenarioOptions,
): Promise<World & { close(): Promise<void> }> {
  const clock = createFakeClock();
  const authorization = await createAuthorizationServer({ clock, expiresIn: LIFETIME_MS / 1000 });
  const api = await createResourceServer({
    accepts: (token) => authorization.isAccessTokenValid(token),
    cors: true,
    ...options.api,
  });
  const elsewhere = await createResourceServer({
    accepts: () => true,
    cors: true,
    keepBodies: options.api?.keepBodies,
  });
  const sources: TokenSource[] = [];
  const createSource = (own: Partial<TokenSourceOptions> = {}): TokenSource => {
    const source = createTokenSource({
      origins: [api.origin],
      refresh: refreshAt(authorization.tokenEndpoint),
      clock,
      random: () => 0.5,
      ...own,
      limits: { exchangeMs: FOR_EVER_MS, flightMs: FOR_EVER_MS, waitMs: FOR_EVER_MS, ...own.limits },
    });
    sources.push(source);
    return source;
  };
  const first = await authorization.signIn();
  const events: TokenEvent[] = [];
  const onEvent = (event: TokenEvent): void => void events.push(event);
  const tokens = createSource({ tokens: first, onEvent, ...options.source });
  const send = suite.createClient(tokens, options.adapter, options.pool);
  const get = (): Promise<SuiteAnswer> => send({ url: `${api.origin}/things` });
  return {
    authorization,
    api,
    elsewhere,
    clock,
    tokens,
    first,
    events,
    send,
    get,
    suite,
    createSource,
    async close() {
      await whileTimePasses({ clock }, Promise.all(sources.map((source) => source.close())));
      await Promise.all([authorization, api, elsewhere].map((server) => server.close()));
    },
  };
}

/** Runs one case in a world of its own. */
export async function runScenario(suite: AdapterSuiteOptions, { options, run }: Scenario): Promise<void> {
  const world = await openWorld(suite, options);
  try {
    await run(world);
  } finally {
    await world.close();
  }
}

/** The access token lives on, and is below its threshold. */
export function makeDue({ clock }: World): Promise<void> {
  return clock.advance(0.8 * LIFETIME_MS);
}

export function makeExpired({ clock }: World): Promise<void> {
  return clock.advance(LIFETIME_MS);
}

/** Every access token is refused, although the clock says that it is valid. */
export function revokeAll({ authorization }: World): void {
  authorization.revokeAccessTokens();
}

/** Lets time pass, back-offs above all, until the promise settles. */
export async function whileTimePasses<T>({ clock }: Pick<World, 'clock'>, promise: Promise<T>): Promise<T> {
  let settled = false;
  const settle = (): void => void (settled = true);
  promise.then(settle, settle);
  while (!settled) await clock.advance(50);
  return promise;
}

/** So many requests at once. */
export function times<T>(count: number, send: () => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, send));
}

/** The access tokens that a server saw, in the order of arrival. */
export function tokensSeen({ requests }: ResourceServer): (string | undefined)[] {
  return requests.map(({ bearerToken }) => bearerToken);
}

/** The Authorization lines of each request that a server saw. */
export function authorizationsSeen({ requests }: ResourceServer): string[][] {
  // A list of this realm: test runners that have one for tests do not take Node's lists for equal.
  return requests.map(({ authorization }) => Array.from(authorization));
}

export function statusesOf(outcomes: readonly { readonly status: number | undefined }[]): unknown[] {
  return outcomes.map(({ status }) => status);
}

/** Counted by result, so that a failed comparison of a thousand stays readable. */
export function countBy(values: readonly unknown[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[String(value)] = (counts[String(value)] ?? 0) + 1;
  return counts;
}

/** The answer is a 401, and is explained to the user. */
export function assertExplained(
  { events }: World,
  { status, error, native }: SuiteAnswer,
  expected: Partial<Explanation>,
): void {
  assert.equal(status, 401, String(error));
  const event = events.findLast(({ type }) => type === 'not-replayed');
  assert.equal(event?.type === 'not-replayed' ? event.reason : undefined, expected.reason);
  if (native === undefined) return;
  const explanation = explain401(native);
  // Node 22.12 has no `partialDeepStrictEqual`.
  assert.deepEqual(explanation, { ...explanation, ...expected });
}

export function post({ api, send }: World, body: unknown, factory?: () => unknown): Promise<SuiteAnswer> {
  return send({ url: `${api.origin}/upload`, method: 'POST', body, unexpired: { body: factory } });
}

/** Settles after several requests that nothing holds: whoever has to settle at once has done so by then. */
export async function aWhile({ elsewhere }: World): Promise<'still waiting'> {
  for (let request = 0; request < 5; request += 1) await (await fetch(elsewhere.origin)).text();
  return 'still waiting';
}
